"""The encoder `wave_conv`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from torch.nn import functional

from mmlm_audio.lengths import positions_of, valid
from mmlm_audio.options import WaveConvOptions
from mmlm_audio.wave_processor import WaveProcessor
from mmlm_core.interfaces import Encoder
from mmlm_core.types import Features

__all__ = ["WaveConv"]


class WaveConv(Encoder):
    """Strided convolutions over the raw wave, each with a layer norm over its channels and GELU (Baevski et al. 2020).

    The norm is the one of wav2vec 2.0's larger models, of each position alone; the group norm of the smaller ones runs
    over the time, and so over padding. The convolutions pad nothing, so that no position reads behind a sound's end.

    Attributes:
        width: D.
    """

    def __init__(self, options: WaveConvOptions) -> None:
        super().__init__()
        self.width = options.width
        self.options = options
        self._processor = WaveProcessor(options)
        inputs = [1, *[options.channels] * (len(options.kernels) - 1)]
        self.convolutions = nn.ModuleList(
            _convolution(size, options.channels, kernel, stride)
            for size, kernel, stride in zip(inputs, options.kernels, options.strides, strict=True)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(options.channels) for _ in inputs)
        self.project = nn.Linear(options.channels, options.width)
        self.dropout = nn.Dropout(options.dropout)

    def stages(self) -> Sequence[Sequence[nn.Module | nn.Parameter]]:
        """Return each convolution with its norm. See `Encoder.stages`."""
        return [list(stage) for stage in zip(self.convolutions, self.norms, strict=True)]

    def processor(self) -> WaveProcessor:
        """Return the processor of the sounds."""
        return self._processor

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Encode sounds.

        Shape: wave [I, samples], lengths [I] or none -> values [I, T, D].
        """
        values = items["wave"].unsqueeze(1)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            values = functional.gelu(norm(convolution(values).transpose(1, 2))).transpose(1, 2)
        lengths = items.get("lengths")
        mask = None if lengths is None else valid(positions_of(lengths, self.options), values.shape[2])
        values = self.dropout(self.project(values.transpose(1, 2)))
        return Features(values, mask, rate=self.options.positions_per_second)


def _convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Conv1d:
    """Return a convolution with the first weights of the paper's code (He et al. 2015)."""
    made = nn.Conv1d(inputs, outputs, kernel, stride, bias=False)
    nn.init.kaiming_normal_(made.weight)
    return made
