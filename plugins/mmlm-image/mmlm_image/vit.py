"""A small vision Transformer that trains from scratch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmlm_core.interfaces import Encoder
from mmlm_core.types import Features
from mmlm_image.layer import Layer
from mmlm_image.options import ImageFeatures, VitOptions
from mmlm_image.positions import fit_positions
from mmlm_image.processor import PictureProcessor

__all__ = ["Vit"]


class Vit(Encoder):
    """Patches, learned positions, pre-norm layers with GELU, a last norm (Dosovitskiy et al. 2021); no class token.

    Attributes:
        width: D.
        grid: Patches down and across.
    """

    def __init__(self, options: VitOptions) -> None:
        super().__init__()
        self.width = options.width
        self._features = options.features
        self.grid = (options.side, options.side)
        self._processor = PictureProcessor((options.size, options.size), options.augment)
        self.patches = nn.Conv2d(3, self.width, options.patch, stride=options.patch)
        self.position = nn.Parameter(torch.randn(1, options.side**2, self.width) * 0.02)
        self.register_load_state_dict_pre_hook(fit_positions)  # type: ignore[no-untyped-call]
        self.dropout = nn.Dropout(options.dropout)
        hidden = int(self.width * options.ratio)
        self.layers = nn.Sequential(
            *(Layer(self.width, options.heads, hidden, options.dropout) for _ in range(options.depth))
        )
        self.norm = nn.LayerNorm(self.width)

    def stages(self) -> Sequence[Sequence[nn.Module | nn.Parameter]]:
        """Return the patches with their positions, then each layer. See `Encoder.stages`."""
        return [[self.patches, self.position], *([layer] for layer in self.layers)]

    def processor(self) -> PictureProcessor:
        """Return the processor of the pictures."""
        return self._processor

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Encode pictures.

        Shape: pixels [I, 3, size, size] -> values [I, T, D], T = patches of a picture; 1 where they are pooled.
        """
        values = self.patches(items["pixels"]).flatten(2).transpose(1, 2)
        values = self.norm(self.layers(self.dropout(values + self.position)))
        if self._features is ImageFeatures.pooled:
            return Features(values.mean(1, keepdim=True))
        return Features(values, grid=self.grid if self._features is ImageFeatures.grid else None)
