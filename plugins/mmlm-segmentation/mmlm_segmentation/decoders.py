"""From the places of a grid to scores of pixels."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional

from mmlm_segmentation.options import Decoder, SegmentationOptions

__all__ = ["make_decoder"]


def make_decoder(options: SegmentationOptions, width: int, classes: int) -> nn.Module:
    """Return what makes scores of features.

    Shape: [B, D, h, w] -> [B, K, h', w'], K classes; `linear` keeps height and width.
    """
    if options.decoder is Decoder.linear:
        return nn.Conv2d(width, classes, 1)
    channels = options.channels
    layers: list[nn.Module] = [nn.Conv2d(width, channels, 1)]
    layers += [_Doubling(channels) for _ in range(options.stages)]
    return nn.Sequential(*layers, nn.Conv2d(channels, classes, 1))


class _Doubling(nn.Module):
    """Twice the height and width, then a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.GroupNorm(math.gcd(8, channels), channels)

    def forward(self, maps: Tensor) -> Tensor:
        larger = functional.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)
        return functional.relu(self.norm(self.convolution(larger)))
