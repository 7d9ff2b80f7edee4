"""The options of the recurrent backbones. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core.errors import OptionError
from mmlm_core.ranges import check_range

__all__ = ["GruOptions", "LstmOptions", "RecurrentOptions"]


@dataclass
class RecurrentOptions:
    """What the recurrent backbones have in common."""

    width: int = 256
    """Width of the hidden states; even where both directions are read, each of which has half of it."""
    depth: int = 2
    """Layers."""
    dropout: float = 0.1
    """Dropout of each layer's output (without `residual`: between the layers only, as in `torch.nn.GRU`)."""
    bidirectional: bool = True
    """Read both ways where the head allows it."""
    residual: bool = True
    """Normalise each layer's input and add its output to it (pre-norm); off: the layers' outputs alone."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "width", 1)
        check_range(self, "depth", 1)
        check_range(self, "dropout", 0, 1)
        if self.bidirectional and self.width % 2:
            raise OptionError(f"`width` must be even where `bidirectional` is true, not {self.width}.")


@dataclass
class GruOptions(RecurrentOptions):
    """Gated recurrent units (Cho et al. 2014), one way or both ways."""


@dataclass
class LstmOptions(RecurrentOptions):
    """Long short-term memory (Hochreiter & Schmidhuber 1997), one way or both ways."""
