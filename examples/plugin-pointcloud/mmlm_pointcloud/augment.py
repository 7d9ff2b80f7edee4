"""Random changes of a batch of clouds, all at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mmlm_pointcloud.options import AugmentOptions, Axis

__all__ = ["change"]

_WIDEST = 5
"""Standard deviations at which the jitter is cut off, as in the code of Qi et al. 2017."""


def change(points: Tensor, options: AugmentOptions, up: Axis, generator: torch.Generator) -> Tensor:
    """Turn each cloud about the vertical axis, and move each point a little.

    Args:
        points: Clouds. Shape: [I, N, 3].
        options: The greatest amounts.
        up: The vertical axis.
        generator: The only source of randomness.

    Returns:
        New clouds of the same shape.
    """
    angle = (torch.rand(len(points), 1, generator=generator) * 2 - 1) * math.radians(options.rotation)
    cos, sin = angle.cos(), angle.sin()
    vertical = "xyz".index(up)
    first, second = (vertical + 1) % 3, (vertical + 2) % 3
    changed = points.clone()
    changed[..., first] = points[..., first] * cos - points[..., second] * sin
    changed[..., second] = points[..., first] * sin + points[..., second] * cos
    noise = torch.randn(points.shape, generator=generator).clamp_(-_WIDEST, _WIDEST)
    return changed.add_(noise, alpha=options.jitter)
