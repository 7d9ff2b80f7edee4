"""The head `NEWNAME`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from mmlm_core.errors import DataError, did_you_mean, quoted
from mmlm_core.interfaces import Head, TargetProcessor
from mmlm_core.types import Batch, Example, Features, Items, Loss
from torch import Tensor, nn
from torch.nn import functional

from NEWPACKAGE.plugin import NEWCLASSOptions

__all__ = ["NEWCLASSHead"]


class _Labels(TargetProcessor):
    """Numbers the labels, which are texts."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.numbers = {label: number for number, label in enumerate(labels)}

    def process(self, example: Example, inputs: dict[str, list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        """Return `label`, the number of the row's label; nothing where there is no target, as in prediction."""
        if example.target is None:
            return {}
        label = _label(example.target)
        if label not in self.numbers:
            near = did_you_mean(label, self.numbers)
            raise DataError(f"The label `{label}` is not in the training data.{near}")
        return {"label": torch.tensor(self.numbers[label])}

    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Stack the numbers: `label` [B]; nothing in prediction."""
        return {"label": torch.stack([target["label"] for target in targets])} if all(targets) else {}


class NEWCLASSHead(Head):
    """A linear layer over the mean of the valid positions of all inputs, with cross-entropy.

    Args:
        options: The options.
        width: D.
        modalities: Names of the inputs.
        facts: What `facts` returned.
    """

    monitor = ("accuracy", "max")

    def __init__(
        self,
        options: NEWCLASSOptions,
        *,
        width: int,
        modalities: tuple[str, ...],
        facts: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self.reads = tuple(modalities)
        self.labels: list[str] = list(facts["labels"])
        self.label_smoothing = options.label_smoothing
        self.output = nn.Linear(width, len(self.labels))

    @classmethod
    def facts(cls, options: NEWCLASSOptions, targets: Iterable[Any]) -> dict[str, Any]:
        """Return `labels`, all that the training data has, in order.

        Raises:
            DataError: There are fewer than two, or a target is no text.
        """
        labels = sorted({_label(target) for target in targets if target is not None})
        if len(labels) < 2:
            raise DataError(f"The training targets must have at least two different labels, not {len(labels)}.")
        return {"labels": labels}

    def target_processor(self) -> TargetProcessor:
        """Return the processor that numbers the labels."""
        return _Labels(self.labels)

    def queries(self, batch: Batch) -> Features | None:
        """Return None: the head reads the inputs' own positions."""
        return None

    def loss(self, outputs: Mapping[str, Features], batch: Batch) -> Loss:
        """Return the cross-entropy, counted by rows."""
        logits, labels = self._logits(outputs), batch.targets["label"]
        smoothing = self.label_smoothing if self.training else 0.0
        total = functional.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="sum")
        correct = (logits.detach().argmax(-1) == labels).sum()
        return Loss(total, torch.full_like(correct, len(labels)), {"correct": correct})

    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        """Return the likeliest label as `prediction`, and its `probability`."""
        values, numbers = self._logits(outputs).softmax(-1).max(-1)
        return [
            {"prediction": self.labels[number], "probability": value}
            for number, value in zip(numbers.tolist(), values.tolist(), strict=True)
        ]

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return `accuracy`, the share of the labels that are right."""
        right = [given["prediction"] == wanted for given, wanted in zip(predictions, references, strict=True)]
        return {"accuracy": sum(right) / len(right)} if right else {}

    def _logits(self, outputs: Mapping[str, Features]) -> Tensor:
        """Return the labels' scores; a row without any position has the mean 0.

        Shape: [B, labels].
        """
        values = torch.cat([outputs[name].values for name in self.reads], dim=1)
        valid = torch.cat([outputs[name].valid for name in self.reads], dim=1).unsqueeze(-1)
        mean = values.masked_fill(~valid, 0).sum(1) / valid.sum(1).clamp(min=1)
        logits: Tensor = self.output(mean)
        return logits.float()


def _label(target: Any) -> str:
    if not isinstance(target, str) or not target.strip():
        raise DataError(f"The target must be a label, a text that is not blank, not {quoted(target)}.")
    return target
