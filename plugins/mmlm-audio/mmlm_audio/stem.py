"""The convolutions that shorten a spectrogram."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmlm_audio.lengths import valid
from mmlm_audio.options import Convolution, LogmelOptions

__all__ = ["Stem"]

KERNEL = 3


class Stem(nn.Module):
    """A convolution along the time, then one of stride 2 for each halving, all with GELU (Radford et al. 2023).

    With `convolution=time_frequency` they go along the bands too, which are halved with the time; then each position's
    channels and bands are mapped to the width. After each layer what lies behind a sound's end is set to zero, as if
    nothing was there, so that padding changes nothing.

    Args:
        options: The options.
    """

    def __init__(self, options: LogmelOptions) -> None:
        super().__init__()
        self.pictures = options.convolution is Convolution.time_frequency
        halvings = options.subsampling.bit_length() - 1
        strides = [1, *[2] * halvings]
        made: list[nn.Module] = []
        inputs, bands = (1, options.bands) if self.pictures else (options.bands, 1)
        for stride in strides:
            kind = nn.Conv2d if self.pictures else nn.Conv1d
            made.append(kind(inputs, options.channels, KERNEL, stride=stride, padding=KERNEL // 2))
            inputs = options.channels
            bands = -(-bands // stride)
        self.layers = nn.ModuleList(made)
        self.strides = strides
        self.project = nn.Linear(options.channels * (bands if self.pictures else 1), options.width)
        self.norm = nn.LayerNorm(options.width)
        self.dropout = nn.Dropout(options.dropout)

    def forward(self, mel: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return one vector for each `subsampling` spectra, and their mask.

        Args:
            mel: Shape: [I, T, bands].
            lengths: Spectra of each sound. Shape: [I]. None: all.

        Shape: values [I, T', D], mask [I, T'] or None, T' = T / subsampling, rounded up.
        """
        values = mel.unsqueeze(1) if self.pictures else mel.transpose(1, 2)
        mask = None
        for layer, stride in zip(self.layers, self.strides, strict=True):
            values = functional.gelu(layer(values))
            if lengths is not None:
                lengths = torch.div(lengths + stride - 1, stride, rounding_mode="floor")
                mask = valid(lengths, values.shape[2 if self.pictures else -1])
                values = values * (mask[:, None, :, None] if self.pictures else mask[:, None]).to(values.dtype)
        values = values.permute(0, 2, 1, 3).flatten(2) if self.pictures else values.transpose(1, 2)
        return self.dropout(self.norm(self.project(values))), mask
