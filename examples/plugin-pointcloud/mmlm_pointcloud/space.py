"""Where the points of a cloud lie: their order in space, the unit ball, and fewer of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["in_unit_ball", "sorted_by_place", "thinned"]

Points = NDArray[np.float64]

_BITS = 10
"""Bits of a place along each axis: 1,024 cells."""


def sorted_by_place(points: Points) -> Points:
    """Return the points along a Z-order curve (Morton 1966), so that neighbours in space are near each other.

    The same points in another order give the same result, bit for bit.

    Shape: [N, 3] -> [N, 3].
    """
    whole = points / (np.abs(points).max() or 1.0)  # the difference of two coordinates must not overflow
    low = whole.min(axis=0)
    extent = (whole - low).max() or 1.0
    cells = ((whole - low) / extent * (2**_BITS - 1)).astype(np.int64)
    code = sum(((cells[:, axis] >> bit) & 1) << (3 * bit + axis) for bit in range(_BITS) for axis in range(3))
    return points[np.lexsort((points[:, 2], points[:, 1], points[:, 0], code))]


def in_unit_ball(points: Points) -> Points:
    """Return the points with their mean at the origin and the farthest of them at a distance of 1.

    Points that all lie in one place lie at the origin.

    Shape: [N, 3] -> [N, 3].
    """
    points = points / (np.abs(points).max() or 1.0)
    centred = points - points.mean(axis=0)
    return centred / (np.sqrt((centred**2).sum(axis=1).max()) or 1.0)


def thinned(points: Points, most: int) -> Points:
    """Return at most so many of the points, at even steps of their order; of sorted points, evenly over the cloud.

    Shape: [N, 3] -> [min(N, most), 3].
    """
    if len(points) <= most:
        return points
    return points[(2 * np.arange(most) + 1) * len(points) // (2 * most)]
