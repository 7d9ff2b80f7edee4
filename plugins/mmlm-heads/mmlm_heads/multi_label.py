"""Any number of labels a row: a sigmoid each, F1 and average precision."""

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
from mmlm_heads.labels import LabelSetTargets, label_names

__all__ = ["MultiLabel"]


class MultiLabel(Labelling):
    """Each label is there or not, whatever the others; the loss of a row is the mean over the labels.

    Args:
        labels: Their names, in order.
        separator: Stands between the labels of a target that is a text; empty: such a target is one label.
        threshold: The probability from which on a label is predicted.
        label_smoothing: Share of a target that is spread over there and not there.
        weights: How much a row that has the label counts for it, where one that has it not counts 1; None: all alike.
            Shape: [K].
    """

    monitor = ("mean_average_precision", "max")
    weights: Tensor | None

    def __init__(
        self,
        labels: Sequence[str],
        separator: str,
        threshold: float,
        label_smoothing: float,
        weights: Tensor | None,
    ) -> None:
        super().__init__()
        self._labels = list(labels)
        self._separator = separator
        self._threshold = threshold
        self._label_smoothing = label_smoothing
        self.register_buffer("weights", weights, persistent=False)

    def target_processor(self) -> TargetProcessor:
        """See `Labelling.target_processor`."""
        return LabelSetTargets(self._labels, self._separator)

    def loss(self, logits: Tensor, batch: Batch) -> Loss:
        """Return the binary cross-entropy, with `correct` among the figures: rows that have just their labels."""
        labels = batch.targets["labels"]
        wanted = labels.to(logits.dtype)
        weights = None
        if self.training:
            wanted = wanted * (1 - self._label_smoothing) + self._label_smoothing / 2
            weights = self.weights
        losses = functional.binary_cross_entropy_with_logits(logits, wanted, pos_weight=weights, reduction="none")
        correct = ((logits.detach().sigmoid() >= self._threshold) == labels).all(-1).sum()
        return Loss(losses.mean(-1).sum(), torch.full_like(correct, len(labels)), {"correct": correct})

    def predict(self, logits: Tensor) -> list[dict[str, Any]]:
        """Return the labels above the threshold as `prediction`, and the `probabilities` of all."""
        rows = [dict(zip(self._labels, row, strict=True)) for row in logits.sigmoid().tolist()]
        return [
            {"prediction": [name for name, p in row.items() if p >= self._threshold], "probabilities": row}
            for row in rows
        ]

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return `mean_average_precision`, `micro_f1`, `macro_f1` and `exact_match`.

        Macro-F1 is the mean over the labels that are predicted or referred to, average precision over those that are
        referred to; it needs probabilities, which an answer that is the same for all rows has not.
        """
        if not predictions:
            return {}
        given = [set(label_names(prediction["prediction"], self._separator) or ()) for prediction in predictions]
        wanted = [set(label_names(reference, self._separator) or ()) for reference in references]
        pairs = list(zip(given, wanted, strict=True))
        right = Counter(name for ours, theirs in pairs for name in ours & theirs)
        said = Counter(name for pair in pairs for names in pair for name in names)
        return {
            **self._precision(predictions, wanted),
            "micro_f1": 2 * right.total() / said.total() if said else 0.0,
            "macro_f1": sum(2 * right[name] / said[name] for name in said) / len(said) if said else 0.0,
            "exact_match": sum(ours == theirs for ours, theirs in pairs) / len(pairs),
        }

    def _precision(self, predictions: Sequence[Mapping[str, Any]], wanted: Sequence[set[str]]) -> dict[str, float]:
        from sklearn.metrics import average_precision_score

        labels = sorted(set(self._labels).intersection(*[set().union(*wanted)]))
        if not labels or not all("probabilities" in prediction for prediction in predictions):
            return {}
        truth = [[name in names for name in labels] for names in wanted]
        scores = [[prediction["probabilities"][name] for name in labels] for prediction in predictions]
        return {"mean_average_precision": float(average_precision_score(truth, scores, average="macro"))}
