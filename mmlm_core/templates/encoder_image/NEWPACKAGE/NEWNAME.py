"""The image encoder `NEWNAME`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmlm_core.interfaces import Encoder, Processor
from mmlm_core.media import load_picture
from mmlm_core.types import Features
from torch import Tensor, nn
from torch.nn import functional

from NEWPACKAGE.plugin import NEWCLASSOptions

__all__ = ["NEWCLASSEncoder"]


class _Pictures(Processor):
    """Pictures to `pixels` [I, 3, size, size], from -1 to 1; each is stretched to the square."""

    def __init__(self, size: int) -> None:
        self.size = size

    def process(self, item: Any) -> dict[str, Tensor]:
        """Return a picture's pixels, `pixels` [3, size, size], as uint8, which is cheap to keep."""
        picture = load_picture(item, draft=self.size).resize((self.size, self.size))
        flat = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
        return {"pixels": flat.view(self.size, self.size, 3).permute(2, 0, 1).contiguous()}

    def blank(self) -> dict[str, Tensor]:
        """Return a white picture."""
        return {"pixels": torch.full((3, self.size, self.size), 255, dtype=torch.uint8)}

    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: torch.Generator | None) -> dict[str, Tensor]:
        """Stack the pictures; what is random in training (a crop, a flip) would be drawn here, from the generator."""
        return {"pixels": torch.stack([item["pixels"] for item in items]).float() / 127.5 - 1}


class NEWCLASSEncoder(Encoder):
    """A linear map of each patch, a learned vector for its place, and a network over each place alone.

    Args:
        options: The options.
    """

    def __init__(self, options: NEWCLASSOptions) -> None:
        super().__init__()
        self.width = width = options.width
        self.grid = (options.size // options.patch, options.size // options.patch)
        self.patches = nn.Conv2d(3, width, options.patch, stride=options.patch)
        self.position = nn.Parameter(torch.randn(self.grid[0] * self.grid[1], width) * 0.02)
        self.network = nn.Linear(width, width)
        self._processor = _Pictures(options.size)

    def processor(self) -> Processor:
        """Return the processor of the pictures."""
        return self._processor

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Encode pictures.

        Shape: pixels [I, 3, size, size] -> values [I, T, D], T = height * width of the grid.
        """
        values = self.patches(items["pixels"]).flatten(2).transpose(1, 2) + self.position
        return Features(values + functional.gelu(self.network(values)), grid=self.grid)
