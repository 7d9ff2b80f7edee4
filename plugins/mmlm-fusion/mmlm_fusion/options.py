"""The options of fusions and projections. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmlm_core.ranges import check_range

__all__ = ["ConcatOptions", "CrossAttentionOptions", "LateOptions", "LinearOptions",
           "MlpOptions", "PerceiverOptions", "PixelShuffleOptions", "PoolOptions"]  # fmt: skip


@dataclass
class ConcatOptions:
    """Inputs and queries side by side in one sequence, which the backbone reads whole."""

    mark: bool = True
    """Add to each input a learned vector that tells its modality."""


@dataclass
class CrossAttentionOptions:
    """The sequence attends to the inputs between the layers of the backbone."""

    heads: int = 4
    """Attention heads; they divide the backbone's width."""
    every: int = 1
    """Attend after every this many layers; the last of them always."""
    gated: bool = False
    """Scale what is added by a learned gate that begins at 0, with a feed-forward layer behind (Flamingo)."""
    keep: list[str] = field(default_factory=list)
    """Modalities that stay in the sequence and are not attended to."""
    positions: bool = True
    """Add to the keys where in its input a position stands (sinusoids), so that the order of a text is known."""
    dropout: float = 0.0
    """Share of what is added that is dropped in training."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "heads", 1)
        check_range(self, "every", 1)
        check_range(self, "dropout", 0, 0.95)


@dataclass
class LateOptions:
    """Each input is a sequence of its own, which the backbone reads alone; only the head brings them together."""

    mark: bool = True
    """Add to each input a learned vector that tells its modality, since one backbone reads them all."""


@dataclass
class LinearOptions:
    """A learned linear map where the widths differ; where they agree, the features pass unchanged."""


@dataclass
class MlpOptions:
    """Two linear maps with a GELU between them, as in LLaVA 1.5 (Liu et al. 2023)."""

    expansion: float = 1.0
    """Width between the two maps, over the backbone's."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "expansion", 0.01)


@dataclass
class PoolOptions:
    """The means of equal shares of the positions: a few positions for an input of any length."""

    positions: int = 1
    """Means, and so positions that come out."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "positions", 1)


@dataclass
class PixelShuffleOptions:
    """Neighbouring positions side by side in a wider one: fewer positions, nothing thrown away."""

    factor: int = 2
    """Positions in each direction that become one, by 2 a quarter as many; of a sequence, that many in a row."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "factor", 1)


@dataclass
class PerceiverOptions:
    """Learned queries that read the features and stand for them: Flamingo's resampler (Alayrac et al. 2022)."""

    positions: int = 16
    """Queries, and so positions that come out."""
    depth: int = 2
    """Layers."""
    heads: int = 4
    """Attention heads; they divide the backbone's width."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "positions", 1)
        check_range(self, "depth", 1)
        check_range(self, "heads", 1)
