"""The options of fusions and projections. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmlm_core.errors import OptionError, quoted
from mmlm_core.ranges import check_range

__all__ = ["BottleneckOptions", "ConcatOptions", "CrossAttentionOptions", "FilmOptions", "LateOptions",
           "LinearOptions", "MlpOptions", "PerceiverOptions", "PixelShuffleOptions", "PoolOptions"]  # fmt: skip


@dataclass
class ConcatOptions:
    """Inputs and queries side by side in one sequence, which the backbone reads whole."""

    mark: bool = True
    """Add to each input a learned vector that tells its modality."""
    order: list[str] = field(default_factory=list)
    """Modalities in the order in which they stand; those that are not named follow, sorted by name."""
    markers: dict[str, str] = field(default_factory=dict)
    """Words of the text whose places the items of a modality take, one after another: `fusion.markers.image=IMAGE`."""

    def __post_init__(self) -> None:
        """Check that no marker is empty or part of another, and that it is not the text that has one."""
        for modality, marker in self.markers.items():
            if modality == "text":
                raise OptionError("`markers` must name modalities whose items stand in the text, not `text` itself.")
            if not marker.strip():
                raise OptionError(f"`markers.{modality}` must be a word of the text, not {quoted(marker)}.")
            wider = [other for name, other in self.markers.items() if name != modality and marker in other]
            if wider:
                raise OptionError(f"`markers.{modality}` must be no part of another marker; `{marker}` is one of "
                                  f"`{wider[0]}`.")  # fmt: skip


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
class FilmOptions:
    """The means of the inputs scale and shift the features between the layers of the backbone (FiLM)."""

    every: int = 1
    """Modulate after every this many layers; the last of them always."""
    keep: list[str] = field(default_factory=list)
    """Modalities that stay in the sequence and do not modulate it."""

    def __post_init__(self) -> None:
        """Check the range."""
        check_range(self, "every", 1)


@dataclass
class BottleneckOptions:
    """The inputs exchange through a few shared tokens, which the sequence reads between the layers of the backbone."""

    tokens: int = 4
    """Shared tokens."""
    heads: int = 4
    """Attention heads; they divide the backbone's width."""
    every: int = 1
    """Exchange and read after every this many layers; the last of them always."""
    keep: list[str] = field(default_factory=list)
    """Modalities that stay in the sequence and take no part in the exchange."""
    dropout: float = 0.0
    """Share of what is added that is dropped in training."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "tokens", 1)
        check_range(self, "heads", 1)
        check_range(self, "every", 1)
        check_range(self, "dropout", 0, 0.95)


@dataclass
class LateOptions:
    """Each input is a sequence of its own, which the backbone reads alone; only the head brings them together."""

    mark: bool = True
    """Add to each input a learned vector that tells its modality, since one backbone reads them all."""
    average: bool = False
    """Let the head's queries read each input apart, and average what they read over the inputs that a row has."""


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
