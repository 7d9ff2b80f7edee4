"""The options of the backbones. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core.errors import OptionError
from mmlm_core.ranges import check_range

__all__ = ["CnnOptions", "NoneOptions"]


@dataclass
class NoneOptions:
    """No backbone: features pass unchanged, and no position reads another."""

    width: int = 256
    """Width that the projections map to."""

    def __post_init__(self) -> None:
        """Check the range."""
        check_range(self, "width", 1)


@dataclass
class CnnOptions:
    """Gated convolutions over the sequence (Gehring et al. 2017), dilated as in ByteNet (Kalchbrenner et al. 2016)."""

    width: int = 256
    """Width of the hidden states."""
    depth: int = 4
    """Layers."""
    kernel: int = 3
    """Positions that a convolution reads; odd."""
    dilation: int = 2
    """Each layer's positions lie this many times as far apart as those of the layer below; 1: always side by side."""
    cycle: int = 4
    """After so many layers the positions lie side by side again."""
    dropout: float = 0.1
    """Dropout of what each layer adds."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("width", "depth", "dilation", "cycle"):
            check_range(self, name, 1)
        check_range(self, "kernel", 3)
        check_range(self, "dropout", 0, 0.95)
        if self.kernel % 2 == 0:
            raise OptionError(f"`kernel` must be odd, so that it has a middle, not {self.kernel}.")

    @property
    def dilations(self) -> list[int]:
        """How far apart the positions lie that each layer reads."""
        return [int(self.dilation ** (layer % self.cycle)) for layer in range(self.depth)]
