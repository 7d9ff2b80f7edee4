"""The data source `shapes`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import overload

import numpy as np
from numpy.typing import NDArray

from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_core.interfaces import DataSource
from mmlm_core.types import Example
from mmlm_pointcloud.options import KINDS, ShapesOptions, Target
from mmlm_pointcloud.solids import SIDES, outline, surface

__all__ = ["ShapeRows", "ShapesSource"]

SPLITS = ("train", "validation", "test")

_USUAL = {"tall thin": (1.8, 3.2), "": (0.8, 1.2), "flat wide": (0.2, 0.45)}
_PROPORTIONS = {
    "capsule": {"": (1.4, 2.6)},
    "dome": {"tall thin": (1.0, 1.8), "": (0.4, 0.6), "flat wide": (0.15, 0.25)},
    "sphere": {"": (0.9, 1.1)},
    "torus": {"thick": (0.3, 0.45), "thin": (0.1, 0.16)},
}
"""Height over width that goes with each word."""

_UPRIGHT, _LYING, _TURNED = "", "on its side", "upside down"


class ShapesSource(DataSource):
    """Solids of random proportions, each upright, on its side or upside down, turned about the vertical axis.

    A row is made when it is read, from the seed, its split and its number alone.

    Args:
        options: The options.
    """

    def __init__(self, options: ShapesOptions) -> None:
        self.options = options

    def splits(self) -> list[str]:
        """Return all three."""
        return list(SPLITS)

    def read(self, split: str) -> Sequence[Example]:
        """Return the rows of a split.

        Raises:
            DataError: There is no such split.
        """
        if split not in SPLITS:
            raise DataError(f"`data=shapes` has no split `{split}`.{did_you_mean(split, SPLITS)}{one_of(SPLITS)}")
        return ShapeRows(self.options, split, range(self.options.rows // (1 if split == "train" else 10)))


@dataclass(frozen=True)
class ShapeRows(Sequence[Example]):
    """Some rows of a split, made as they are asked for."""

    options: ShapesOptions
    split: str
    numbers: range

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Example: ...

    @overload
    def __getitem__(self, place: slice) -> ShapeRows: ...

    def __getitem__(self, place: int | slice) -> Example | ShapeRows:
        """Return a row, its cloud as the bytes of a .npy file; or, for a slice, some rows."""
        if isinstance(place, slice):
            return replace(self, numbers=self.numbers[place])
        number = self.numbers[place]
        # NumPy promises the same numbers in every later version for this generator alone (NEP 19).
        random = np.random.RandomState([self.options.seed, SPLITS.index(self.split), number])
        kind = KINDS[number % len(KINDS)]
        points, caption = _solid(kind, self.options, random)
        file = BytesIO()
        np.save(file, points.astype(np.float32))
        target = kind if self.options.target is Target.label else caption
        return Example(f"shapes:{self.split}:{number + 1}", {"pointcloud": [file.getvalue()]}, target)


def _solid(kind: str, options: ShapesOptions, random: np.random.RandomState) -> tuple[NDArray[np.float64], str]:
    """Return the points of a solid and its caption."""
    proportions = _PROPORTIONS.get(kind, _USUAL)
    words = list(proportions)[random.randint(len(proportions))]
    poses = _poses(kind, words)
    pose = poses[random.randint(len(poses))]
    height = 2 * random.uniform(*proportions[words])
    profile = outline(kind, height, wall=random.uniform(0.2, 0.4))
    count = round(options.points / 8 ** random.random_sample())
    points = surface(profile, SIDES.get(kind, 0), count, random)
    points[:, 2] -= height / 2
    points[:, 0] *= random.uniform(0.85, 1.0)  # nothing found is quite round or square
    points += random.standard_normal(points.shape) * options.noise
    points = _posed(points, pose) @ _turn(2, random.uniform(0, 2 * math.pi))
    points = points @ _turn(0, random.standard_normal() * math.radians(3))
    points = points * 10 ** random.uniform(-1, 1) + random.standard_normal(3) * 10  # the processor takes this out again
    return points, " ".join(filter(None, ("a", words, kind, pose)))


def _poses(kind: str, words: str) -> list[str]:
    """Return the poses that can be told from one another."""
    if kind == "sphere" or (kind == "box" and not words):
        return [_UPRIGHT]
    return [_UPRIGHT, _LYING, _TURNED] if kind in ("cone", "dome", "pyramid") else [_UPRIGHT, _LYING]


def _posed(points: NDArray[np.float64], pose: str) -> NDArray[np.float64]:
    angle = {_UPRIGHT: 0.0, _LYING: math.pi / 2, _TURNED: math.pi}[pose]
    return points @ _turn(0, angle)


def _turn(axis: int, angle: float) -> NDArray[np.float64]:
    """Return the matrix that turns rows of coordinates about an axis."""
    matrix = np.eye(3)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[[first, second], [first, second]] = math.cos(angle)
    matrix[first, second], matrix[second, first] = math.sin(angle), -math.sin(angle)
    return matrix
