"""The options of this plugin's components. Imports neither torch nor PyAV."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mmlm_core.options import check_choices
from mmlm_core.ranges import check_range

__all__ = ["COLOURS", "MOTIONS", "SHAPES", "FramesOptions", "MotionsOptions", "Pooling", "Target"]

MOTIONS = ("moving left", "moving right", "moving up", "moving down", "growing", "shrinking", "turning", "still")
"""What the shapes of `motions` do, which are the labels."""

SHAPES = ("circle", "square", "triangle", "star", "cross")
"""The shapes of `motions`; a circle never turns."""

COLOURS = {"red": (214, 45, 32), "green": (40, 160, 60), "blue": (36, 84, 214), "yellow": (240, 196, 25),
           "purple": (140, 60, 170), "black": (30, 30, 30)}  # fmt: skip
"""The colours of `motions`, in RGB."""


class Pooling(StrEnum):
    """What becomes of the frames."""

    none = "none"
    mean = "mean"
    gru = "gru"

    @property
    def keeps_frames(self) -> bool:
        """Whether each frame stays a position."""
        return self is Pooling.none


class Target(StrEnum):
    """What a row of `motions` asks for."""

    label = "label"
    caption = "caption"


@dataclass
class FramesOptions:
    """Some frames of a film, evenly from its whole length, each through an image encoder; any one that is installed."""

    image: str = "cnn"
    """The image encoder, as after `encoder/image=`."""
    image_options: dict[str, Any] = field(default_factory=dict)
    """Options of it, as `{size: 32, width: 128}`. Its random changes of pictures are not made: from frame to frame they
    would be motion."""
    frames: int = 8
    """Frames that are looked at; a shorter film has fewer."""
    pooling: Pooling = Pooling.none
    """`none`: a position for each frame, with its time added; `gru`: the last state of a GRU over them; `mean`, which
    does not know their order."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_choices(self)
        check_range(self, "frames", 1)


@dataclass
class MotionsOptions:
    """Shapes made by code that move, grow or turn, as short films, each with a label and a caption."""

    rows: int = 2400
    """Training rows; validation and test have a tenth as many each, every motion equally often."""
    target: Target = Target.label
    """`label`: the motion, as `moving left`; `caption`: what moves too, as `a red star moving left`."""
    frames: int = 12
    """Frames of a film at least; each has a number of its own, up to twice this."""
    size: int = 48
    """Pixels of a side."""
    seed: int = 0
    """Another number makes other films."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_choices(self)
        check_range(self, "rows", 10 * len(MOTIONS))  # so that every split has every motion
        check_range(self, "frames", 2)
        check_range(self, "size", 16)
        check_range(self, "seed", 0, 2**32 - 1)  # what NumPy takes
