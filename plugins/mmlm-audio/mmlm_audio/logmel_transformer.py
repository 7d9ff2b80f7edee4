"""The encoder `logmel_transformer`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmlm_audio.layer import Layer
from mmlm_audio.mel_processor import MelProcessor
from mmlm_audio.options import LogmelTransformerOptions
from mmlm_audio.stem import Stem
from mmlm_core.interfaces import Encoder
from mmlm_core.types import Features

__all__ = ["LogmelTransformer"]


class LogmelTransformer(Encoder):
    """A log-mel spectrogram, convolutions that shorten it, sinusoids for the time, and pre-norm layers that read both
    ways: the encoder of Whisper (Radford et al. 2023), for sounds of any length.

    Attributes:
        width: D.
    """

    def __init__(self, options: LogmelTransformerOptions) -> None:
        super().__init__()
        self.width = options.width
        self._rate = options.positions_per_second
        self._processor = MelProcessor(options)
        self.stem = Stem(options)
        hidden = max(1, int(options.width * options.ratio))
        self.layers = nn.ModuleList(
            Layer(options.width, options.heads, hidden, options.dropout) for _ in range(options.depth)
        )
        self.norm = nn.LayerNorm(options.width)

    def stages(self) -> Sequence[Sequence[nn.Module | nn.Parameter]]:
        """Return the convolutions, then each layer. See `Encoder.stages`."""
        return [[self.stem], *([layer] for layer in self.layers)]

    def processor(self) -> MelProcessor:
        """Return the processor of the sounds."""
        return self._processor

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Encode sounds.

        Shape: mel [I, T, bands], lengths [I] or none -> values [I, T', D], T' = T / subsampling, rounded up.
        """
        values, mask = self.stem(items["mel"], items.get("lengths"))
        values = values + _sinusoids(values.shape[1], self.width, values.device).to(values.dtype)
        seen = None if mask is None else mask[:, None, None]
        for layer in self.layers:
            values = layer(values, seen)
        return Features(self.norm(values), mask, rate=self._rate)


def _sinusoids(count: int, width: int, device: torch.device) -> Tensor:
    """Return the positions of Vaswani et al. 2017, section 3.5.

    Shape: [count, width].
    """
    waves = torch.exp(torch.arange(0, width, 2, device=device) * (-math.log(10000.0) / width))
    angles = torch.arange(count, device=device)[:, None] * waves
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :width]
