"""Surfaces of solids, and points drawn evenly from them.

Every solid is a profile, a line of (radius, height), that is swept round the vertical axis: round, or along a regular
polygon. A cone, a pyramid, a torus and a box then differ in numbers alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["SIDES", "outline", "surface"]

Profile = Sequence[tuple[float, float]]

SIDES = {"box": 4, "pyramid": 4, "prism": 3}
"""Sides of the solids that are not round."""

_ARC = 24
"""Straight pieces of a half circle."""


def outline(kind: str, height: float, wall: float) -> Profile:
    """Return the profile of a solid whose radius is 1 (of the inscribed circle, where it is a box or a pyramid).

    Args:
        kind: One of `mmlm_pointcloud.options.KINDS`.
        height: From the lowest to the highest point.
        wall: Thickness of a tube's wall.
    """
    corner = 1 / math.cos(math.pi / 4) if SIDES.get(kind) == 4 else 1.0
    match kind:
        case "box" | "cylinder" | "prism":
            return [(0, 0), (corner, 0), (corner, height), (0, height)]
        case "cone" | "pyramid":
            return [(0, 0), (corner, 0), (0, height)]
        case "tube":
            return [(1 - wall, 0), (1, 0), (1, height), (1 - wall, height), (1 - wall, 0)]
        case "sphere":
            return _arc(0, 1, height / 2, -0.5, 0.5)
        case "dome":
            return [(0, 0), *_arc(0, 1, height, 0, 0.5)]
        case "capsule":
            return [*_arc(0, 1, 1, -0.5, 0), *((r, z + height - 1) for r, z in _arc(0, 1, 1, 0, 0.5))]
        case "torus":
            return _arc(1 - height / 2, height / 2, height / 2, -1, 1)
    raise ValueError(f"`{kind}` is no solid.")


def surface(profile: Profile, sides: int, count: int, random: np.random.RandomState) -> NDArray[np.float64]:
    """Return points of a swept profile's surface, as likely in one place of it as in another.

    Args:
        profile: Radius and height along a line.
        sides: Sides of the polygon that it is swept along; 0: a circle.
        count: N.
        random: The source of randomness.

    Shape: [N, 3].
    """
    line = np.asarray(profile, dtype=np.float64)
    start, end = line[:-1], line[1:]
    flat = math.cos(math.pi / sides) if sides else 1.0  # a face lies nearer to the axis than its corners do
    slant = np.hypot((end - start)[:, 0] * flat, (end - start)[:, 1])
    area = slant * (start[:, 0] + end[:, 0])
    piece = random.choice(len(area), count, p=area / area.sum())
    share, turn = random.random_sample((2, count))
    near, far = start[piece], end[piece]
    radius = np.sqrt(near[:, 0] ** 2 + share * (far[:, 0] ** 2 - near[:, 0] ** 2))  # wider places have more points
    along = share * (near[:, 0] + far[:, 0]) / np.maximum(radius + near[:, 0], 1e-12)
    height = near[:, 1] + along * (far[:, 1] - near[:, 1])
    return np.column_stack([radius[:, None] * _around(turn, sides), height])


def _around(turn: NDArray[np.float64], sides: int) -> NDArray[np.float64]:
    """Return places on the unit circle, or on the polygon in it, for shares of a whole turn. Shape: [N] -> [N, 2]."""
    if not sides:
        return np.column_stack([np.cos(2 * math.pi * turn), np.sin(2 * math.pi * turn)])
    angles = 2 * math.pi * (np.arange(sides + 1) + 0.5) / sides
    corners = np.column_stack([np.cos(angles), np.sin(angles)])
    side, along = np.divmod(turn * sides, 1)
    first = side.astype(np.int64)
    return corners[first] + along[:, None] * (corners[first + 1] - corners[first])


def _arc(middle: float, wide: float, high: float, begin: float, end: float) -> list[tuple[float, float]]:
    """Return a part of an ellipse whose lowest point has the height 0; angles in half turns, 0 is outwards."""
    pieces = max(2, round(_ARC * (end - begin)))
    angles = [math.pi * (begin + (end - begin) * step / pieces) for step in range(pieces + 1)]
    rise = high if begin < 0 else 0.0
    return [(middle + wide * math.cos(angle), high * math.sin(angle) + rise) for angle in angles]
