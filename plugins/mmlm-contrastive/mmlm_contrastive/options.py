"""The options of the head `contrastive`. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mmlm_core.options import check_choices
from mmlm_core.ranges import check_range

__all__ = ["ContrastiveOptions", "Duplicates", "PairLoss", "Pooling"]


class PairLoss(Enum):
    """How pairs are told from what does not belong together."""

    infonce = "infonce"
    sigmoid = "sigmoid"


class Pooling(Enum):
    """How the valid positions of an input become one vector."""

    mean = "mean"
    max = "max"
    first = "first"
    last = "last"


class Duplicates(Enum):
    """What two rows of a batch are to each other that share a text or a picture."""

    ignore = "ignore"
    negative = "negative"


@dataclass
class ContrastiveOptions:
    """Two modalities in one space, where what belongs together lies together: CLIP (Radford et al. 2021)."""

    width: int = 128
    """Width of the shared space."""
    pooling: Pooling = Pooling.mean
    """How an input's valid positions become one vector: `mean`, `max`, the `first`, the `last`."""
    loss: PairLoss = PairLoss.infonce
    """`infonce`: each finds its own among all (CLIP); `sigmoid`: each pair alone (SigLIP, Zhai et al. 2023)."""
    temperature: float | None = None
    """What similarities are divided by at the beginning; learned. None: the paper's, 0.07 for `infonce`, 0.1 else."""
    bias: float = -10.0
    """What is added to `sigmoid`'s logits at the beginning; learned. Most pairs of a batch do not belong together."""
    duplicates: Duplicates = Duplicates.ignore
    """Rows that share an item with another row: `ignore` what they are to each other, or count it as a `negative`."""
    gather: bool = True
    """Take as negatives the rows of all processes, not only of the own one."""
    dropout: float = 0.0
    """Dropout of the pooled vectors."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_choices(self)
        check_range(self, "width", 1)
        check_range(self, "temperature", 0.01, 100)
        check_range(self, "dropout", 0, 0.95)
