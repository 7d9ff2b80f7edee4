"""The head `classification`: one label for a whole row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmlm_core.interfaces import Head, TargetProcessor
from mmlm_core.types import QUERIES, Batch, Features, Loss
from mmlm_heads.labels import LabelTargets, count_labels, label_name
from mmlm_heads.options import ClassificationOptions, ClassWeights, Pooling

__all__ = ["Classification", "pool"]

TOP = 5
"""Labels whose probabilities a prediction lists."""


class Classification(Head):
    """A linear layer over one pooled vector, with cross-entropy.

    In evaluation the loss is the plain cross-entropy, without label smoothing and class weights.

    Args:
        options: See `ClassificationOptions`.
        width: D.
        modalities: Names of the inputs.
        facts: What `facts` returned.
    """

    monitor = ("accuracy", "max")

    def __init__(
        self, options: ClassificationOptions, *, width: int, modalities: tuple[str, ...], facts: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self._pooling = options.pooling
        self._label_smoothing = options.label_smoothing
        self._labels: list[str] = list(facts["labels"])
        self.reads = (QUERIES,) if options.pooling is Pooling.query else tuple(modalities)
        if options.pooling is Pooling.query:
            self.query = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.dropout = nn.Dropout(options.dropout)
        self.output = nn.Linear(width, len(self._labels))
        counts = torch.tensor(facts["counts"], dtype=torch.float32)
        balanced = options.class_weights is ClassWeights.balanced
        weights = counts.sum() / (len(counts) * counts) if balanced else None
        self._weights: Tensor | None
        self.register_buffer("_weights", weights, persistent=False)

    @classmethod
    def facts(cls, options: ClassificationOptions, targets: Iterable[Any]) -> dict[str, Any]:
        """Return `labels`, in order, and `counts`, the training rows of each.

        Raises:
            DataError: There are fewer than two labels.
        """
        counts = count_labels(targets)
        return {"labels": list(counts), "counts": list(counts.values())}

    def target_processor(self) -> TargetProcessor:
        """Return the processor that numbers the labels."""
        return LabelTargets(self._labels)

    def queries(self, batch: Batch) -> Features | None:
        """Return the learned position, or None where the inputs are pooled.

        Shape: values [B, 1, D].
        """
        return Features(self.query.expand(batch.size, -1, -1)) if self._pooling is Pooling.query else None

    def loss(self, outputs: Mapping[str, Features], batch: Batch) -> Loss:
        """Return the cross-entropy, counted by rows, with `correct` among the figures."""
        logits, labels = self._logits(outputs), batch.targets["label"]
        if self.training:
            losses = functional.cross_entropy(logits, labels, label_smoothing=self._label_smoothing, reduction="none")
            losses = losses if self._weights is None else losses * self._weights[labels]
        else:
            losses = functional.cross_entropy(logits, labels, reduction="none")
        correct = (logits.detach().argmax(-1) == labels).sum()
        return Loss(losses.sum(), torch.full_like(correct, len(labels)), {"correct": correct})

    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        """Return the likeliest label as `prediction`, its `probability`, and `probabilities` of the likeliest five."""
        probabilities = self._logits(outputs).softmax(-1)
        values, numbers = probabilities.topk(min(TOP, len(self._labels)), dim=-1)
        rows = zip(values.tolist(), numbers.tolist(), strict=True)
        tops = [{self._labels[n]: p for p, n in zip(*row, strict=True)} for row in rows]
        return [
            {"prediction": next(iter(top)), "probability": next(iter(top.values())), "probabilities": top}
            for top in tops
        ]

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return `accuracy` and `macro_f1`, the mean of F1 over the labels that are predicted or referred to."""
        if not predictions:
            return {}
        given = [str(prediction["prediction"]) for prediction in predictions]
        wanted = [str(label_name(reference)) for reference in references]
        right = Counter(label for label, expected in zip(given, wanted, strict=True) if label == expected)
        said = Counter(given) + Counter(wanted)  # of a label: 2 true positives + false positives + false negatives
        return {
            "accuracy": right.total() / len(given),
            "macro_f1": sum(2 * right[label] / said[label] for label in said) / len(said),
        }

    def _logits(self, outputs: Mapping[str, Features]) -> Tensor:
        """Return the labels' scores. Shape: [B, K]."""
        if self._pooling is Pooling.query:
            pooled = outputs[QUERIES].values[:, 0]
        else:
            pooled = pool([outputs[name] for name in self.reads], self._pooling)
        return self.output(self.dropout(pooled)).float()  # type: ignore[no-any-return]


def pool(parts: Sequence[Features], pooling: Pooling) -> Tensor:
    """Return one vector a row out of the valid positions of all parts; zeros where a row has none.

    Args:
        parts: Segments, in order. Shape of the values: [B, S, D].
        pooling: `mean`, `max`, or `last`: the last valid position of the last part that has one.

    Shape: [B, D].
    """
    values = torch.cat([part.values for part in parts], dim=1)
    if all(part.mask is None for part in parts):
        if pooling is Pooling.mean:
            return values.mean(1)
        return values.amax(1) if pooling is Pooling.max else values[:, -1]
    valid = torch.cat([part.valid for part in parts], dim=1).unsqueeze(-1)
    if pooling is Pooling.mean:
        return values.masked_fill(~valid, 0).sum(1) / valid.sum(1).clamp(min=1)
    if pooling is Pooling.max:
        return values.masked_fill(~valid, -torch.inf).amax(1).masked_fill(~valid.any(1), 0)
    steps = torch.arange(values.shape[1], device=values.device).unsqueeze(-1)
    last = torch.where(valid, steps, 0).amax(1, keepdim=True)
    return values.gather(1, last.expand(-1, -1, values.shape[-1])).squeeze(1).masked_fill(~valid.any(1), 0)
