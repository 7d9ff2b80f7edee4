"""The options of this plugin's components. Imports neither torch nor NumPy."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from mmlm_core.errors import OptionError
from mmlm_core.ranges import check_range

__all__ = ["KINDS", "AugmentOptions", "Axis", "PointNetOptions", "ShapesOptions", "Target"]

KINDS = ("box", "capsule", "cone", "cylinder", "dome", "prism", "pyramid", "sphere", "torus", "tube")
"""The solids of `shapes`, which are the labels too."""


class Axis(StrEnum):
    """A coordinate axis."""

    x = "x"
    y = "y"
    z = "z"


class Target(StrEnum):
    """What a row of `shapes` asks for."""

    label = "label"
    caption = "caption"


@dataclass
class AugmentOptions:
    """Random changes of a training cloud, drawn anew each time; validation and prediction see it unchanged."""

    enabled: bool = True
    """False: the training sees the clouds unchanged too."""
    rotation: float = 180.0
    """Turned about the vertical axis by up to this many degrees, either way."""
    jitter: float = 0.01
    """Standard deviation of what is added to each coordinate, in radii of the cloud; cut off at five of them."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "rotation", 0, 180)
        check_range(self, "jitter", 0, 1)


@dataclass
class PointNetOptions:
    """PointNet (Qi et al. 2017): one small network for every point, then the greatest value of each channel."""

    points: int = 256
    """Points of a cloud that are read; a larger cloud is thinned out evenly, a smaller one is read as it is."""
    channels: list[int] = field(default_factory=lambda: [64, 128, 256])
    """Widths of the layers that every point goes through."""
    width: int = 128
    """Width of the features."""
    tokens: int = 1
    """1: one vector for the whole cloud; more: one for each of so many groups of neighbouring points."""
    dropout: float = 0.0
    """Share of each vector's features that is dropped in training."""
    up: Axis = Axis.z
    """The vertical axis: `z` in most scans, `y` in many models made for games."""
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    """Random changes of the training clouds."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("points", "width", "tokens"):
            check_range(self, name, 1)
        check_range(self, "dropout", 0, 0.95)
        if not self.channels or min(self.channels) < 1:
            raise OptionError(f"`channels` must have at least one layer, each at least 1, not {list(self.channels)}.")
        if self.tokens > self.points:
            raise OptionError(f"`tokens` must be at most `points` ({self.points}), not {self.tokens}.")


@dataclass
class ShapesOptions:
    """Solids made by code (boxes, cones, tori, ...) as clouds of points, each with a label and a caption."""

    rows: int = 4000
    """Training rows; validation and test have a tenth as many each, every solid equally often."""
    target: Target = Target.label
    """`label`: the solid, as `cone`; `caption`: its proportions and how it lies too, as `a tall thin cone`."""
    points: int = 512
    """Points of a cloud at most; each has a number of its own, down to an eighth of this."""
    noise: float = 0.02
    """Standard deviation of the points' distance from the surface, in radii of the solid."""
    seed: int = 0
    """Another number makes other solids."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "rows", 10 * len(KINDS))  # so that every split has every solid
        check_range(self, "points", 8)
        check_range(self, "noise", 0, 1)
        check_range(self, "seed", 0, 2**32 - 1)  # what NumPy takes
