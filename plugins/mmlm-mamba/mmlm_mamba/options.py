"""The options of Mamba. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core.errors import OptionError
from mmlm_core.ranges import check_range

__all__ = ["MambaOptions"]


@dataclass
class MambaOptions:
    """Selective state spaces, Mamba-2 (Dao & Gu 2024), which read forwards."""

    width: int = 256
    """Width of the vectors between the layers."""
    depth: int = 4
    """Layers."""
    expand: int = 2
    """Width inside a layer over `width`."""
    head_width: int = 64
    """Width of a head, inside a layer; it divides `expand` times `width`."""
    state: int = 64
    """Numbers that each value of a head remembers what was read by."""
    kernel: int = 4
    """Positions that the convolution before the state space sees: the latest."""
    chunk: int = 64
    """Positions that are computed by one product; a longer sequence goes on from chunk to chunk."""
    dropout: float = 0.0
    """Dropout of each layer's output."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("width", "depth", "expand", "head_width", "state", "chunk"):
            check_range(self, name, 1)
        check_range(self, "kernel", 2)
        check_range(self, "dropout", 0, 1)
        if self.expand * self.width % self.head_width:
            raise OptionError(
                f"`head_width` must divide `expand` times `width`, {self.expand * self.width}; "
                f"{self.head_width} does not."
            )
