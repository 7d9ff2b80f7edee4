"""The options of the head `segmentation`. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from mmlm_core.errors import OptionError
from mmlm_core.options import check_choices
from mmlm_core.ranges import check_range

__all__ = ["Decoder", "SegmentationOptions"]


class Decoder(Enum):
    """How the scores of places become scores of pixels."""

    linear = "linear"
    convolution = "convolution"


@dataclass
class SegmentationOptions:
    """A class for each pixel of a picture; masks are the targets."""

    decoder: Decoder = Decoder.linear
    """`linear`: each place's scores, drawn larger (Segmenter, Strudel et al. 2021); `convolution`: layers that double
    the sides in turns (SETR-PUP, Zheng et al. 2021), for finer borders."""
    channels: int = 64
    """Channels that the decoder `convolution` begins with; each layer halves them."""
    stages: int = 2
    """Layers of the decoder `convolution`, each of which doubles height and width."""
    dropout: float = 0.1
    """Dropout before the decoder."""
    classes: list[str] = field(default_factory=list)
    """The names of the numbers 0, 1, 2, ... in a mask; none named: the numbers that the training masks have. That of
    `ignore`, if it is among them, stands for no class."""
    ignore: int | None = 255
    """The number of pixels that are not scored; None: every number is a class."""
    dice: float = 0.0
    """Weight of the Dice loss beside the cross-entropy (Milletari et al. 2016); it weighs small classes more."""
    input: str = "image"
    """The modality whose places are read."""

    def __post_init__(self) -> None:
        """Check the ranges and the classes."""
        check_choices(self)
        check_range(self, "channels", 1)
        check_range(self, "stages", 1, 6)
        check_range(self, "dropout", 0, 0.95)
        check_range(self, "ignore", 0, 65535)
        check_range(self, "dice", 0)
        if len(self.classes) == 1 or len(set(self.classes)) < len(self.classes):
            raise OptionError(f"`classes` must name at least two classes, each once, not {list(self.classes)}.")
        if len(self.scored) == 1:
            raise OptionError("`classes` must name at least two classes beside the one that is not scored "
                              f"(`ignore={self.ignore}`), not {list(self.classes)}.")  # fmt: skip
        if not self.input.isidentifier():
            raise OptionError(f"`input` must name a modality, as `image`, not `{self.input}`.")

    @property
    def scored(self) -> dict[int, str]:
        """The classes that are named, by their numbers, without the one that is not scored."""
        return {number: name for number, name in enumerate(self.classes) if number != self.ignore}
