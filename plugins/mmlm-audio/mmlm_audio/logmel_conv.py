"""The encoder `logmel_conv`."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from mmlm_audio.mel_processor import MelProcessor
from mmlm_audio.options import LogmelConvOptions
from mmlm_audio.stem import Stem
from mmlm_core.interfaces import Encoder
from mmlm_core.types import Features

__all__ = ["LogmelConv"]


class LogmelConv(Encoder):
    """A log-mel spectrogram, then convolutions that shorten it.

    Attributes:
        width: D.
    """

    def __init__(self, options: LogmelConvOptions) -> None:
        super().__init__()
        self.width = options.width
        self._rate = options.positions_per_second
        self._processor = MelProcessor(options)
        self.stem = Stem(options)

    def processor(self) -> MelProcessor:
        """Return the processor of the sounds."""
        return self._processor

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Encode sounds.

        Shape: mel [I, T, bands], lengths [I] or none -> values [I, T', D], T' = T / subsampling, rounded up.
        """
        values, mask = self.stem(items["mel"], items.get("lengths"))
        return Features(values, mask, rate=self._rate)
