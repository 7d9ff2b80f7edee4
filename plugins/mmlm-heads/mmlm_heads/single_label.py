"""One label a row: cross-entropy, accuracy and macro-F1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from mmlm_core.interfaces import TargetProcessor
from mmlm_core.types import Batch, Loss
from mmlm_heads.labelling import Labelling
from mmlm_heads.labels import LabelTargets, label_name

__all__ = ["SingleLabel"]

TOP = 5
"""Labels whose probabilities a prediction lists."""


class SingleLabel(Labelling):
    """A softmax over the labels.

    Args:
        labels: Their names, in order.
        label_smoothing: Share of the target that is spread over all labels.
        weights: How much a training row of each label counts; None: all alike. Shape: [K].
    """

    monitor = ("accuracy", "max")
    weights: Tensor | None

    def __init__(self, labels: Sequence[str], label_smoothing: float, weights: Tensor | None) -> None:
        super().__init__()
        self._labels = list(labels)
        self._label_smoothing = label_smoothing
        self.register_buffer("weights", weights, persistent=False)

    def target_processor(self) -> TargetProcessor:
        """See `Labelling.target_processor`."""
        return LabelTargets(self._labels)

    def loss(self, logits: Tensor, batch: Batch) -> Loss:
        """Return the cross-entropy, with `correct` among the figures."""
        labels = batch.targets["label"]
        smoothing = self._label_smoothing if self.training else 0.0
        losses = functional.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
        if self.training and self.weights is not None:
            losses = losses * self.weights[labels]
        correct = (logits.detach().argmax(-1) == labels).sum()
        return Loss(losses.sum(), torch.full_like(correct, len(labels)), {"correct": correct})

    def predict(self, logits: Tensor) -> list[dict[str, Any]]:
        """Return the likeliest label as `prediction`, its `probability`, and `probabilities` of the likeliest five."""
        values, numbers = logits.softmax(-1).topk(min(TOP, len(self._labels)), dim=-1)
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
