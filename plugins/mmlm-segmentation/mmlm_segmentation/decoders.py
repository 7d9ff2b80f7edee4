"""From the places of a grid to scores of pixels."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from mmlm_segmentation.options import Decoder, SegmentationOptions

__all__ = ["make_decoder"]

LEAST = 8
"""Channels that a layer has at least."""


def make_decoder(options: SegmentationOptions, width: int, classes: int) -> nn.Module:
    """Return what makes scores of features.

    Shape: [B, D, h, w] -> [B, K, h', w'], K classes; `linear` keeps height and width.
    """
    if options.decoder is Decoder.linear:
        return nn.Conv2d(width, classes, 1)
    channels = [max(LEAST, options.channels >> stage) for stage in range(options.stages + 1)]
    doublings = [_Doubling(*pair) for pair in pairwise(channels)]
    return nn.Sequential(nn.Conv2d(width, channels[0], 1), *doublings, nn.Conv2d(channels[-1], classes, 1))


class _Doubling(nn.Module):
    """Twice the height and width, then a convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, maps: Tensor) -> Tensor:
        larger = functional.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)
        return functional.relu(self.norm(self.convolution(larger)))
