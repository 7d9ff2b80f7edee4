"""The processor of pictures that `cnn`, `vit` and `timm` share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmlm_core.interfaces import Processor
from mmlm_core.media import load_picture
from mmlm_image.augment import colour, move
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

    def __init__(
        self,
        size: tuple[int, int],
        augment: AugmentOptions,
        mean: Sequence[float] = (0.5, 0.5, 0.5),
        std: Sequence[float] = (0.5, 0.5, 0.5),
    ) -> None:
        self.size = size
        self.augment = augment
        self._mean = torch.tensor(mean).view(3, 1, 1)
        self._std = torch.tensor(std).view(3, 1, 1)

    def process(self, item: Any) -> dict[str, Tensor]:
        """Return one picture's pixels: the whole of it, its aspect kept, white beside it.

        Shape: pixels [3, height, width], uint8.
        """
        return {"pixels": to_tensor(self.fit(load_picture(item, draft=max(self.size))))}

    def fit(self, picture: Any) -> Any:
        """Return an RGB picture at the processor's size."""
        from PIL import Image

        height, width = self.size
        if picture.size == (width, height):
            return picture
        scale = min(width / picture.width, height / picture.height)
        inner = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(inner, Image.Resampling.BICUBIC)  # PIL's resampling filters against aliasing
        if inner == (width, height):
            return picture
        ground = Image.new("RGB", (width, height), (255, 255, 255))
        ground.paste(picture, ((width - inner[0]) // 2, (height - inner[1]) // 2))
        return ground

    def blank(self) -> dict[str, Tensor]:
        """Return a white picture."""
        return {"pixels": torch.full((3, *self.size), 255, dtype=torch.uint8)}

    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: torch.Generator | None) -> dict[str, Tensor]:
        """Stack the pictures, augment them where there is a generator, and normalise.

        Shape: pixels [I, 3, height, width], float.
        """
        pixels = torch.stack([item["pixels"] for item in items])
        if generator is not None and self.augment.moves:
            ink = move(255.0 - pixels, self.augment, generator)
            values = ink.mul_(-1 / 255).add_(1)
        else:
            values = pixels.float().mul_(1 / 255)
        if generator is not None and self.augment.colours:
            values = colour(values, self.augment, generator)
        return {"pixels": values.sub_(self._mean).div_(self._std)}
