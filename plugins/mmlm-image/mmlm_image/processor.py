"""The processor of pictures that `cnn`, `vit` and `timm` share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmlm_core.geometry import EXTENT, FRAME, MOTION, PLACEMENT, boxed
from mmlm_core.interfaces import Processor
from mmlm_core.media import load_measured
from mmlm_core.views import PictureView, View
from mmlm_image.augment import colour, motion, move
from mmlm_image.options import AugmentOptions

__all__ = ["PictureProcessor", "to_tensor"]


def to_tensor(picture: Any) -> Tensor:
    """Return an RGB `PIL.Image.Image` as a tensor.

    Shape: [3, height, width], uint8.
    """
    flat = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return flat.view(picture.height, picture.width, 3).permute(2, 0, 1).contiguous()


class PictureProcessor(Processor):
    """Fits a picture into a white square; batches are augmented and normalised.

    A processed picture is uint8, so that it is cheap to keep; floats are made of it a batch at a time.

    Args:
        size: Height and width, in pixels.
        augment: Random changes in training.
        mean: Mean of each channel that is subtracted, of values from 0 to 1.
        std: Standard deviation of each channel that is divided by.
    """

    content = ("pixels",)

    def __init__(
        self,
        size: tuple[int, int],
        augment: AugmentOptions,
        mean: Sequence[float] = (0.5, 0.5, 0.5),
        std: Sequence[float] = (0.5, 0.5, 0.5),
    ) -> None:
        self.size = size
        self.augment = augment
        self._frame = torch.tensor(size)
        self._mean = torch.tensor(mean).view(3, 1, 1)
        self._std = torch.tensor(std).view(3, 1, 1)

    @property
    def augments(self) -> bool:
        """Whether training pictures are changed."""
        return self.augment.moves or self.augment.colours

    def process(self, item: Any) -> dict[str, Tensor]:
        """Return one picture's pixels: the whole of it, its aspect kept, white beside it; and its geometry.

        Shape: pixels [3, height, width], uint8. See `mmlm_core.geometry` for the others.
        """
        picture, extent = load_measured(item, draft=max(self.size))
        fitted, box = self.fit(picture)
        return self._made(to_tensor(fitted), box, extent)

    def fit(self, picture: Any) -> tuple[Any, tuple[int, int, int, int]]:
        """Return an RGB picture at the processor's size; and its box there: top, left, height and width."""
        from PIL import Image

        height, width = self.size
        if picture.size == (width, height):
            return picture, (0, 0, height, width)
        scale = min(width / picture.width, height / picture.height)
        inner = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(inner, Image.Resampling.BICUBIC)  # PIL's resampling filters against aliasing
        left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
        if inner != (width, height):
            ground = Image.new("RGB", (width, height), (255, 255, 255))
            ground.paste(picture, (left, top))
            picture = ground
        return picture, (top, left, inner[1], inner[0])

    def blank(self) -> dict[str, Tensor]:
        """Return a white picture."""
        pixels = torch.full((3, *self.size), 255, dtype=torch.uint8)
        return self._made(pixels, (0, 0, *self.size), self.size)

    def measures(self, tensors: Mapping[str, Tensor]) -> dict[str, float]:
        """Return a picture's own `width` and `height`, in pixels."""
        height, width = tensors[EXTENT].tolist()
        return {"width": width, "height": height}

    def views(self, tensors: Mapping[str, Tensor]) -> list[View]:
        """Return the pictures as they are after augmentation."""
        from PIL import Image

        pixels = (tensors["pixels"] * self._std + self._mean).clamp(0, 1).mul(255).round().to(torch.uint8)
        return [PictureView(Image.fromarray(picture.permute(1, 2, 0).numpy())) for picture in pixels]

    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: torch.Generator | None) -> dict[str, Tensor]:
        """Stack the pictures, augment them where there is a generator, and normalise.

        Shape: pixels [I, 3, height, width], float; `motion` [I, 2, 3] where they are moved.
        """
        made = {name: torch.stack([item[name] for item in items]) for name in items[0]}
        pixels = made["pixels"]
        if generator is not None and self.augment.moves:
            made[MOTION] = motion(len(items), self.augment, generator)
            ink = move(255.0 - pixels, made[MOTION])
            values = ink.mul_(-1 / 255).add_(1)
        else:
            values = pixels.float().mul_(1 / 255)
        if generator is not None and self.augment.colours:
            values = colour(values, self.augment, generator)
        return {**made, "pixels": values.sub_(self._mean).div_(self._std)}

    def _made(
        self, pixels: Tensor, box: tuple[float, float, float, float], extent: tuple[int, int]
    ) -> dict[str, Tensor]:
        return {
            "pixels": pixels, PLACEMENT: boxed(self.size, box), EXTENT: torch.tensor(extent), FRAME: self._frame,
        }  # fmt: skip
