"""The head `classification`: one label, or any number of labels, for a whole row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmlm_core.errors import DataError, did_you_mean
from mmlm_core.interfaces import Head, TargetProcessor
from mmlm_core.types import Batch, Features, Loss
from mmlm_heads.labelling import Labelling
from mmlm_heads.labels import count_label_sets, count_labels
from mmlm_heads.multi_label import MultiLabel
from mmlm_heads.options import ClassificationOptions, ClassWeights
from mmlm_heads.readout import Readout
from mmlm_heads.single_label import SingleLabel

__all__ = ["Classification"]


class Classification(Head):
    """A linear layer over one vector of a row, with a softmax over the labels, or a sigmoid for each.

    In evaluation the loss is the plain one, without label smoothing and weights.

    Args:
        options: See `ClassificationOptions`.
        width: D.
        modalities: Names of the inputs.
        facts: What `facts` returned.
    """

    def __init__(
        self, options: ClassificationOptions, *, width: int, modalities: tuple[str, ...], facts: Mapping[str, Any]
    ) -> None:
        super().__init__()
        labels: list[str] = list(facts["labels"])
        self.readout = Readout(
            options.pooling, options.dropout, width=width, outputs=len(labels), modalities=modalities
        )
        self.reads = self.readout.reads
        weights, smoothing = _weights(options, facts), options.label_smoothing
        self.labelling: Labelling = (
            MultiLabel(labels, options.separator, options.threshold, smoothing, weights)
            if options.multi_label
            else SingleLabel(labels, smoothing, weights)
        )
        self.monitor = self.labelling.monitor

    @classmethod
    def facts(cls, options: ClassificationOptions, targets: Iterable[Any]) -> dict[str, Any]:
        """Return `labels`, in order, `counts`, the training rows of each, and `rows`, the training rows.

        Raises:
            DataError: There are too few labels; a weight is for none of them; or rows are to weigh as their labels are
                rare, and a label has one alone.
        """
        if options.multi_label:
            counts, rows = count_label_sets(targets, options.separator)
        else:
            counts = count_labels(targets)
            rows = sum(counts.values())
        _check_weights(options, counts, rows)
        return {"labels": list(counts), "counts": list(counts.values()), "rows": rows}

    def target_processor(self) -> TargetProcessor:
        """Return the processor that numbers the labels."""
        return self.labelling.target_processor()

    def queries(self, batch: Batch) -> Features | None:
        """Return the learned position, or None where the inputs are pooled.

        Shape: values [B, 1, D].
        """
        return self.readout.queries(batch)

    def loss(self, outputs: Mapping[str, Features], batch: Batch) -> Loss:
        """Return the loss, counted by rows, with `correct` among the figures."""
        return self.labelling.loss(self.readout(outputs), batch)

    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        """Return each row's label, or its list of labels, as `prediction`, with `probabilities`."""
        return self.labelling.predict(self.readout(outputs))

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return those of `SingleLabel` or of `MultiLabel`."""
        return self.labelling.metrics(predictions, references)


def _weights(options: ClassificationOptions, facts: Mapping[str, Any]) -> Tensor | None:
    """Return how much the rows of each label count in training, or None where all count alike. Shape: [K]."""
    counts, rows = torch.tensor(facts["counts"], dtype=torch.float32), float(facts["rows"])
    if options.class_weights is ClassWeights.balanced:
        if not options.multi_label:
            return rows / (len(counts) * counts)
        return torch.where(counts < rows, (rows - counts) / counts, 1.0)  # no row is without it: nothing to balance
    if options.label_weights:
        return torch.tensor([float(options.label_weights.get(label, 1.0)) for label in facts["labels"]])
    return None


def _check_weights(options: ClassificationOptions, counts: Mapping[str, int], rows: int) -> None:
    for label in options.label_weights:
        if label not in counts:
            raise DataError(f"`head.label_weights` has a weight for `{label}`, which is no label of the training data."
                            f"{did_you_mean(label, counts)}")  # fmt: skip
    single = [label for label, count in counts.items() if count == 1]
    if options.class_weights is ClassWeights.balanced and single:
        times = rows - 1 if options.multi_label else rows / len(counts)
        others = f", and that of {len(single) - 1} other labels," if len(single) > 1 else ""
        raise DataError(f"`head.class_weights=balanced` would count the only training row of `{single[0]}`{others} "
                        f"{times:,.3g} times: give such labels more rows, leave them out, or say weights by "
                        "`head.label_weights`.")  # fmt: skip
