"""A head that guesses the characters of a text, in no order, out of the mean of the inputs."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Head, TargetProcessor
from mmlm_core.types import Batch, Example, Features, Items, Loss
from mmlm_toys.plugin import ToyOptions
from mmlm_toys.processors import Faults
from mmlm_toys.quirk import Quirk

PADDED = -100


class ToyTargets(TargetProcessor):
    """Texts to numbers below 50."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.faults = Faults(fault)

    def process(self, example: Example, inputs: dict[str, list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        del inputs
        target = example.target
        if target is None and self.fault != "needs_targets":
            return {}
        if not isinstance(target, str):
            if self.fault == "takes_anything":
                target = str(target)
            elif self.fault == "bare_error":
                raise TypeError("no text")
            else:
                raise DataError(f"The target must be a text, not {target!r}.")
        return {"ids": torch.tensor(self.faults.process([ord(character) % 50 for character in target]))}

    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        del inputs
        if not targets[0]:
            return {}
        ids = self.faults.collate([target["ids"] for target in targets], generator)
        return {
            "ids": pad_sequence(ids, batch_first=True, padding_value=0 if self.fault == "scores_padding" else PADDED)
        }


class ToyHead(Head):
    """A linear layer over the mean."""

    reads = ("text",)
    metric_ranges = MappingProxyType({"right": (0.0, 1.0)})

    def __init__(self, options: ToyOptions, *, width: int, modalities: tuple, facts: Mapping[str, Any]) -> None:
        super().__init__()
        del modalities, facts
        self.fault = options.fault
        self.output = nn.Linear(width, 50)
        nn.init.zeros_(self.output.weight)  # hides what lies behind it until it has learnt
        self.quirk = Quirk(options.fault, width)

    @classmethod
    def facts(cls, options: ToyOptions, targets: Iterable[Any]) -> dict[str, Any]:
        if options.fault == "facts_with_a_set":
            return {"characters": set("".join(targets))}
        return {"lengths": {3: 1}} if options.fault == "facts_by_number" else {"rows": len(list(targets))}

    def target_processor(self) -> TargetProcessor:
        return ToyTargets(self.fault)

    def queries(self, batch: Batch) -> None:
        del batch

    def loss(self, outputs: Mapping[str, Features], batch: Batch) -> Loss:
        ids = batch.targets["ids"]
        scores = self._scores(outputs, self.fault == "ignores_the_mask").unsqueeze(1).expand(-1, ids.shape[1], -1)
        losses = functional.cross_entropy(scores.flatten(0, 1), ids.flatten(), ignore_index=PADDED, reduction="none")
        total = losses.sum() / ids.shape[0] if self.fault == "takes_the_mean" else losses.sum()
        scored = torch.ones_like(ids) if self.fault == "counts_padding" else ids != PADDED
        return Loss(total, scored.sum())

    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        del batch
        scores = self._scores(outputs, self.fault == "ignores_the_mask_in_predictions")
        best = scores.argmax(-1)
        chances = scores.softmax(-1).amax(-1)
        if self.fault == "predicts_tensors":
            return [{"prediction": number} for number in best]
        return [{"prediction": a, "chance": b} for a, b in zip(best.tolist(), chances.tolist(), strict=True)]

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        right = [
            each["prediction"] in [ord(c) % 50 for c in text]
            for each, text in zip(predictions, references, strict=True)
        ]
        if self.fault == "measures_nan":
            return {"right": float("nan")}
        if self.fault == "measures_beyond_its_range":
            return {"right": 2.0}
        return {"right": sum(right) / len(right)}

    def _scores(self, outputs: Mapping[str, Features], ignores: bool) -> Tensor:
        text = outputs["text"]
        values = text.values.detach() if self.fault == "cuts_what_came_before" else text.values
        valid = torch.ones_like(text.valid) if ignores else text.valid
        least = 0 if self.fault == "divides_by_nothing" else 1
        mean = (values * valid.unsqueeze(-1)).sum(1) / valid.sum(1, keepdim=True).clamp(min=least)
        return self.output(self.quirk(mean))
