"""The options of the image encoders. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from mmlm_core.errors import OptionError
from mmlm_core.options import check_choices
from mmlm_core.ranges import check_range

__all__ = ["AugmentOptions", "CnnOptions", "ImageFeatures", "PatchOptions", "TimmOptions", "VitOptions"]


@dataclass
class AugmentOptions:
    """Random changes of a training picture, drawn anew each time; validation and prediction see it unchanged."""

    enabled: bool = True
    """False: the training sees the pictures unchanged too."""
    rotation: float = 12.0
    """Turned by up to this many degrees, either way."""
    scale: float = 0.15
    """Made larger by up to this share, or smaller by as much (0.15: 1.15 times, or 1 / 1.15)."""
    shift: float = 0.08
    """Moved by up to this share of its side, each way; what comes into view is white."""
    flip: bool = False
    """Mirrored left to right, every second time; off, since captions say left and right."""
    brightness: float = 0.2
    """Made brighter or darker by up to this share."""
    contrast: float = 0.2
    """Drawn away from or towards middle gray by up to this share."""
    saturation: float = 0.3
    """Made more or less colourful by up to this share."""
    hue: float = 10.0
    """Colours turned round the gray axis by up to this many degrees, either way."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "rotation", 0, 180)
        check_range(self, "hue", 0, 180)
        check_range(self, "scale", 0, 4)
        for name in ("shift", "brightness", "contrast", "saturation"):
            check_range(self, name, 0, 1)

    @property
    def moves(self) -> bool:
        """Whether the picture is rotated, scaled, shifted or mirrored."""
        return self.enabled and bool(self.rotation or self.scale or self.shift or self.flip)

    @property
    def colours(self) -> bool:
        """Whether its colours are changed."""
        return self.enabled and bool(self.brightness or self.contrast or self.saturation or self.hue)


@dataclass
class CnnOptions:
    """A small CNN that trains from scratch, fast on a CPU; its last map's places are the positions."""

    size: int = 32
    """Pixels of a side; pictures are fitted into a white square."""
    channels: list[int] = field(default_factory=lambda: [32, 64, 128, 256])
    """Channels of each stage; each stage but the first halves height and width."""
    stride: int = 1
    """Pixels between the places of the first convolution; 2: it halves too, with a kernel of 5, which is faster."""
    depth: int = 0
    """Residual blocks of a stage; 0: one convolution, which is faster and learns more from a few minutes on a CPU."""
    width: int = 256
    """Width of the features."""
    dropout: float = 0.1
    """Share of each position's features that is dropped in training."""
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    """Random changes of the training pictures."""

    def __post_init__(self) -> None:
        """Check the ranges, and that the picture can be halved often enough."""
        check_range(self, "stride", 1, 2)
        check_range(self, "depth", 0)
        check_range(self, "width", 1)
        check_range(self, "dropout", 0, 0.95)
        if not self.channels or min(self.channels) < 1:
            raise OptionError(f"`channels` must have at least one stage, each at least 1, not {list(self.channels)}.")
        least = self.stride * 2 ** (len(self.channels) - 1)
        if self.side < 2 or self.size % least:
            raise OptionError(
                f"`size` must be a multiple of {least} and at least {2 * least}, since {len(self.channels)} stages "
                f"of `channels` and a `stride` of {self.stride} divide it by {least}, not {self.size}."
            )

    @property
    def side(self) -> int:
        """Height and width of the last map."""
        return int(self.size // (self.stride * 2 ** (len(self.channels) - 1)))


class ImageFeatures(StrEnum):
    """Which of a model's features are given on."""

    grid = "grid"
    pooled = "pooled"
    tokens = "tokens"


@dataclass
class VitOptions:
    """A small vision Transformer that trains from scratch (Dosovitskiy et al. 2021), without a class token."""

    size: int = 32
    """Pixels of a side; pictures are fitted into a white square."""
    patch: int = 4
    """Pixels of a patch's side; each patch is a position."""
    width: int = 128
    """Width of the features."""
    depth: int = 4
    """Transformer layers."""
    heads: int = 4
    """Heads of an attention."""
    ratio: float = 2.0
    """Width of the feed-forward part, as a multiple of `width`."""
    features: ImageFeatures = ImageFeatures.grid
    """`grid`: the patches in their places; `tokens`: the same as a mere sequence; `pooled`: their mean, one vector."""
    dropout: float = 0.1
    """Share of what each layer adds that is dropped in training."""
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    """Random changes of the training pictures."""

    def __post_init__(self) -> None:
        """Check the ranges, and what must divide what."""
        check_choices(self)
        for name in ("size", "patch", "width", "depth", "heads"):
            check_range(self, name, 1)
        check_range(self, "ratio", 0.1)
        check_range(self, "dropout", 0, 0.95)
        if self.size % self.patch:
            raise OptionError(f"`size` must be a multiple of `patch` ({self.patch}), not {self.size}.")
        if self.width % self.heads:
            raise OptionError(f"`width` must be a multiple of `heads` ({self.heads}), not {self.width}.")

    @property
    def side(self) -> int:
        """Patches along a side."""
        return self.size // self.patch


@dataclass
class PatchOptions:
    """The pixels of each patch, through one linear layer: no image encoder at all, as in Fuyu (Bavishi et al. 2023)."""

    size: int = 32
    """Pixels of a side; pictures are fitted into a white square."""
    patch: int = 8
    """Pixels of a patch's side; each patch is a position."""
    width: int = 128
    """Width of the features."""
    positions: bool = True
    """Add learned vectors that tell the places; false: the backbone's order of positions alone does, as in Fuyu."""
    dropout: float = 0.1
    """Share of each position's features that is dropped in training."""
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    """Random changes of the training pictures."""

    def __post_init__(self) -> None:
        """Check the ranges, and that patches fill the picture."""
        for name in ("size", "patch", "width"):
            check_range(self, name, 1)
        check_range(self, "dropout", 0, 0.95)
        if self.size % self.patch:
            raise OptionError(f"`size` must be a multiple of `patch` ({self.patch}), not {self.size}.")

    @property
    def side(self) -> int:
        """Patches along a side."""
        return self.size // self.patch


@dataclass
class TimmOptions:
    """Any model of timm by its name, with its own transforms; pretrained or from scratch."""

    model: str = "mobilenetv3_small_050"
    """timm's name of the model, with a tag where the weights have one: `vit_tiny_patch16_224.augreg_in21k`."""
    pretrained: bool = False
    """Fetch timm's weights from its hub (which needs a network)."""
    weights: str | None = None
    """A checkpoint file (`.safetensors`, or `.pth` with tensors only) that the weights are read from."""
    features: ImageFeatures = ImageFeatures.grid
    """`grid`: the places of the last map; `tokens`: all tokens, a class token too; `pooled`: one vector a picture."""
    size: int | None = None
    """Pixels of a side; None: what the model was made for."""
    draft: bool = True
    """Decode JPEG files at a half, a quarter or an eighth of their size, where that is still twice as large as what
    they are resized to: faster, and not quite the same pixels (by 0.5 of 255 in the mean); false: decode them whole."""
    augment: AugmentOptions = field(default_factory=lambda: AugmentOptions(enabled=False))
    """Random changes of the training pictures; off unless `augment.enabled=true`."""

    def __post_init__(self) -> None:
        """Check the range, and that the weights come from one place."""
        check_choices(self)
        check_range(self, "size", 1)
        if not self.model:
            raise OptionError("`model` must name a model of timm, not be empty.")
        if self.pretrained and self.weights is not None:
            raise OptionError("`pretrained` must be false where `weights` names a file: weights come from one place.")
