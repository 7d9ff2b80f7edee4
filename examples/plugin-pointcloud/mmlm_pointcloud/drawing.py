"""Draws a cloud as a picture, for reports."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from mmlm_pointcloud.options import Axis

__all__ = ["drawing"]

SIZE = 128
"""Pixels of a side."""

_ROUND, _ABOVE = math.radians(30), math.radians(25)
"""Where the eye is: turned about the vertical axis, and above the ground."""


def drawing(points: Tensor, up: Axis) -> Any:
    """Return a cloud in the unit ball as an RGB `PIL.Image.Image`: dark points are near, light ones far.

    Args:
        points: Shape: [N, 3].
        up: The vertical axis.
    """
    from PIL import Image, ImageDraw

    vertical = "xyz".index(up)
    first, second, height = points[:, (vertical + 1) % 3], points[:, (vertical + 2) % 3], points[:, vertical]
    right = first * math.cos(_ROUND) - second * math.sin(_ROUND)
    away = first * math.sin(_ROUND) + second * math.cos(_ROUND)
    over = height * math.cos(_ABOVE) + away * math.sin(_ABOVE)
    depth = away * math.cos(_ABOVE) - height * math.sin(_ABOVE)
    picture = Image.new("RGB", (SIZE, SIZE), (255, 255, 255))
    pen = ImageDraw.Draw(picture)
    for place in depth.argsort(descending=True).tolist():  # the near ones over the far ones
        x = SIZE * (0.5 + 0.47 * float(right[place]))
        y = SIZE * (0.5 - 0.47 * float(over[place]))
        shade = round(120 + 100 * float(depth[place]))
        pen.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=(shade // 3, shade // 2, shade))
    return picture
