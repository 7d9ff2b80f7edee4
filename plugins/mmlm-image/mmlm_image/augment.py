"""Random changes of a batch of pictures, all at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from mmlm_image.options import AugmentOptions

__all__ = ["colour", "motion", "move"]

_LUMA = (0.299, 0.587, 0.114)


def motion(count: int, options: AugmentOptions, generator: torch.Generator) -> Tensor:
    """Return for each picture a rotation, scale, shift and mirroring by amounts of its own.

    Args:
        count: Pictures.
        options: The greatest amounts.
        generator: The only source of randomness.

    Shape: [count, 2, 3]; see `mmlm_core.geometry.MOTION`. Pictures are taken to be square.
    """
    turn, size, right, down, side = torch.rand(5, count, generator=generator).mul_(2).sub_(1).unbind()
    angle = turn * math.radians(options.rotation)
    zoom = torch.exp(-size * math.log1p(options.scale))  # where an output pixel looks, so the inverse of the change
    mirror = torch.where(side < 0, -1.0, 1.0) if options.flip else torch.ones(count)
    cos, sin = angle.cos() * zoom, angle.sin() * zoom
    shift = 2 * options.shift  # a side is 2 in the units of `grid_sample`
    theta = torch.stack([cos * mirror, sin, right * shift, -sin * mirror, cos, down * shift], dim=1)
    return theta.view(count, 2, 3)


def move(ink: Tensor, theta: Tensor) -> Tensor:
    """Return the moved pictures; what comes into view is 0.

    Args:
        ink: Pictures, 0 where they are white. Shape: [I, 3, height, width].
        theta: What `motion` returned. Shape: [I, 2, 3].
    """
    grid = functional.affine_grid(theta, list(ink.shape), align_corners=False)
    return functional.grid_sample(ink, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def colour(pixels: Tensor, options: AugmentOptions, generator: torch.Generator) -> Tensor:
    """Change hue, saturation, contrast and brightness of each picture by amounts of its own.

    All four are linear, so one 3 x 3 matrix and one offset a picture do them, in that order.

    Args:
        pixels: Pictures with values from 0 to 1. Shape: [I, 3, height, width].
        options: The greatest amounts.
        generator: The only source of randomness.
    """
    count = len(pixels)
    turn, rich, far, light = torch.rand(4, count, 1, 1, generator=generator).mul_(2).sub_(1).unbind()
    eye = torch.eye(3)
    cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)
    angle = turn * math.radians(options.hue)
    hue = angle.cos() * eye + (1 - angle.cos()) / 3 + angle.sin() * cross  # Rodrigues' rotation round (1, 1, 1)
    rich = 1 + rich * options.saturation
    saturation = rich * eye + (1 - rich) * torch.tensor(_LUMA)
    far = 1 + far * options.contrast
    light = 1 + light * options.brightness
    matrix = light * far * (saturation @ hue)
    offset = (light * (1 - far) / 2).expand(count, 3, 1)
    return torch.baddbmm(offset, matrix, pixels.flatten(2)).clamp_(0, 1).view_as(pixels)
