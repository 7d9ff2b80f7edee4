"""The options of the head `regression`. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core.options import check_choices
from mmlm_core.ranges import check_range
from mmlm_heads.options import Pooling

__all__ = ["RegressionOptions"]


@dataclass
class RegressionOptions:
    """A number, or several, for a whole row: a rating, a price, a place."""

    pooling: Pooling = Pooling.query
    """`query`: a learned position, as BERT's `[CLS]`; `mean`, `max`, `last`: over the inputs' own valid positions."""
    dropout: float = 0.1
    """Dropout before the output layer."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_choices(self)
        check_range(self, "dropout", 0, 0.999)
