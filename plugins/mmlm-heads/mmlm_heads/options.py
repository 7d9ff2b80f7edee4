"""The options of the heads: the only place where their defaults stand. Imports no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum

from mmlm_core.errors import OptionError, quoted
from mmlm_core.options import check_choices
from mmlm_core.ranges import check_range

__all__ = ["ClassWeights", "ClassificationOptions", "Pooling"]


class Pooling(Enum):
    """What a classification reads."""

    query = "query"
    mean = "mean"
    max = "max"
    last = "last"


class ClassWeights(Enum):
    """How much a training row counts."""

    none = "none"
    balanced = "balanced"


@dataclass
class ClassificationOptions:
    """One label out of those of the training data, or any number of them, for a whole row."""

    pooling: Pooling = Pooling.query
    """`query`: a learned position, as BERT's `[CLS]`; `mean`, `max`, `last`: over the inputs' own valid positions."""
    label_smoothing: float = 0.0
    """Share of the target that is spread over all labels, in training alone (Szegedy et al. 2016)."""
    dropout: float = 0.1
    """Dropout before the output layer."""
    class_weights: ClassWeights = ClassWeights.none
    """`balanced`: a training row counts rows / (labels * rows of its label), so that rare labels count as much; with
    several labels a row, one that has a label counts as much for it as the others together."""
    label_weights: dict[str, float] = field(default_factory=dict)
    """How much a training row of each label counts, as `{spam: 2.0}`; 1 where a label is not named."""
    multi_label: bool = False
    """A row has any number of labels, or none: its target is a list."""
    separator: str = ""
    """With `multi_label`: what stands between the labels of a target that is a text, as `;`."""
    threshold: float = 0.5
    """With `multi_label`: the probability from which on a label is predicted."""

    def __post_init__(self) -> None:
        """Check the ranges, and that options do not contradict each other."""
        check_choices(self)
        check_range(self, "threshold", 0, 1)
        for label, weight in self.label_weights.items():
            if not isinstance(weight, int | float) or isinstance(weight, bool) or not 0 <= weight < math.inf:
                raise OptionError(f"`label_weights.{label}` must be a number from 0 on, not {quoted(weight)}.")
        if self.label_weights and self.class_weights is not ClassWeights.none:
            raise OptionError("`label_weights` must be left out where `class_weights` is `balanced`.")
        if self.separator and not self.multi_label:
            raise OptionError("`separator` must be left out where `multi_label` is false: a row has one label.")
        check_range(self, "label_smoothing", 0, 0.999)
        check_range(self, "dropout", 0, 0.999)
