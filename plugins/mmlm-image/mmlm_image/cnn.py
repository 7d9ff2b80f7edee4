"""A small CNN that trains from scratch on a CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmlm_core.interfaces import Encoder
from mmlm_core.types import Features
from mmlm_image.options import CnnOptions
from mmlm_image.positions import fit_positions
from mmlm_image.processor import PictureProcessor

__all__ = ["Cnn"]


class Cnn(Encoder):
    """Stages of convolutions, then a learned vector for each place of the last map.

    A stage is one convolution, or residual blocks (He et al. 2016, with the shortcut of He et al. 2019).

    Attributes:
        width: D.
        grid: Height and width of the last map.
    """

    def __init__(self, options: CnnOptions) -> None:
        super().__init__()
        self.width = options.width
        self._depth = options.depth
        self.grid = (options.side, options.side)
        self._processor = PictureProcessor((options.size, options.size), options.augment)
        channels = options.channels
        self.stem = _convolution(3, channels[0], kernel=3 if options.stride == 1 else 5, stride=options.stride)
        blocks: list[nn.Module] = [_Block(channels[0], channels[0]) for _ in range(options.depth - 1)]
        for inputs, outputs in pairwise(channels):
            if options.depth == 0:
                blocks += [_convolution(inputs, outputs, kernel=3, stride=2), nn.ReLU(inplace=True)]
            else:
                blocks += [_Block(inputs, outputs, halve=True)]
                blocks += [_Block(outputs, outputs) for _ in range(options.depth - 1)]
        self.blocks = nn.Sequential(*blocks)
        self.project = nn.Linear(channels[-1], self.width)
        self.position = nn.Parameter(torch.randn(1, options.side**2, self.width) * 0.02)
        self.register_load_state_dict_pre_hook(fit_positions)  # type: ignore[no-untyped-call]
        self.dropout = nn.Dropout(options.dropout)

    def stages(self) -> Sequence[Sequence[nn.Module | nn.Parameter]]:
        """Return the modules of each stage, the first with the stem. See `Encoder.stages`."""
        own = self._depth or 2  # modules of a stage: its blocks, or a convolution and its ReLU
        first = self._depth - 1 if self._depth else 0
        blocks = list(self.blocks)
        return [[self.stem, *blocks[:first]],
                *(blocks[place : place + own] for place in range(first, len(blocks), own))]  # fmt: skip

    def processor(self) -> PictureProcessor:
        """Return the processor of the pictures."""
        return self._processor

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Encode pictures.

        Shape: pixels [I, 3, size, size] -> values [I, T, D], T = height * width of the grid.
        """
        # Channels last: forward and backward together are a quarter to a half faster on a CPU so.
        pixels = items["pixels"].contiguous(memory_format=torch.channels_last)
        maps = self.blocks(functional.relu(self.stem(pixels)))
        values = self.project(maps.flatten(2).transpose(1, 2)) + self.position
        return Features(self.dropout(values), grid=self.grid)


class _Block(nn.Module):
    """Two convolutions beside a shortcut; where it halves, the shortcut averages first."""

    def __init__(self, inputs: int, outputs: int, halve: bool = False) -> None:
        super().__init__()
        self.first = _convolution(inputs, outputs, kernel=3, stride=2 if halve else 1)
        self.second = _convolution(outputs, outputs, kernel=3)
        self.shortcut: nn.Module = nn.Identity()
        if halve:
            self.shortcut = nn.Sequential(nn.AvgPool2d(2), _convolution(inputs, outputs, kernel=1))

    def forward(self, maps: Tensor) -> Tensor:
        change = self.second(functional.relu(self.first(maps), inplace=True))
        return functional.relu(change.add_(self.shortcut(maps)), inplace=True)


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs)
    )
