"""Raw patches through one linear layer."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmlm_core.interfaces import Encoder
from mmlm_core.types import Features
from mmlm_image.options import PatchOptions
from mmlm_image.positions import fit_positions
from mmlm_image.processor import PictureProcessor

__all__ = ["Patch"]


class Patch(Encoder):
    """The pixels of each patch, mapped to a vector (Fuyu, Bavishi et al. 2023); seeing them is left to the backbone.

    Attributes:
        width: D.
        grid: Patches down and across.
    """

    def __init__(self, options: PatchOptions) -> None:
        super().__init__()
        self.width = options.width
        self.grid = (options.side, options.side)
        self._processor = PictureProcessor((options.size, options.size), options.augment)
        self.map = nn.Conv2d(3, options.width, options.patch, stride=options.patch)
        self.dropout = nn.Dropout(options.dropout)
        self.position: nn.Parameter | None = None
        if options.positions:
            self.position = nn.Parameter(torch.randn(1, options.side**2, options.width) * 0.02)
            self.register_load_state_dict_pre_hook(fit_positions)  # type: ignore[no-untyped-call]

    def processor(self) -> PictureProcessor:
        """Return the processor of the pictures."""
        return self._processor

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Encode pictures.

        Shape: pixels [I, 3, size, size] -> values [I, T, D], T = patches of a picture.
        """
        values = self.map(items["pixels"]).flatten(2).transpose(1, 2)
        if self.position is not None:
            values = values + self.position
        return Features(self.dropout(values), grid=self.grid)
