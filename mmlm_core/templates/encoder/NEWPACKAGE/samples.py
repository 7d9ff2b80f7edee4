"""The data source `NEWNAME_samples`: rows made by code."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_core.interfaces.data_source import DataSource
from mmlm_core.types import Example

from NEWPACKAGE.plugin import NEWCLASSSamplesOptions

__all__ = ["NEWCLASSSamples"]

SHAPES = ("line", "ellipse", "cloud")


class NEWCLASSSamples(DataSource):
    """Rows that follow from the seed, the split and their number alone.

    Args:
        options: The options.
    """

    def __init__(self, options: NEWCLASSSamplesOptions) -> None:
        self.options = options
        self.sizes = {"train": options.rows, "validation": options.rows // 5, "test": options.rows // 5}

    def splits(self) -> list[str]:
        """Return the splits."""
        return list(self.sizes)

    def read(self, split: str) -> Sequence[Example]:
        """Return the rows of a split.

        Raises:
            DataError: There is no such split.
        """
        if split not in self.sizes:
            meant = did_you_mean(split, self.sizes) + one_of(self.splits())
            raise DataError(f"`data=NEWNAME_samples` has no split `{split}`.{meant}")
        return [self._row(split, number) for number in range(self.sizes[split])]

    def _row(self, split: str, number: int) -> Example:
        random = Random(f"{self.options.seed} {split} {number}")
        shape = SHAPES[number % len(SHAPES)]
        item = _item(random, shape, self.options.channels)
        return Example(f"NEWNAME_samples:{split}:{number}", {"NEWMODALITY": [item]}, shape)


def _item(random: Random, shape: str, channels: int) -> list[list[float]]:
    """Return from 16 to 32 positions of a shape, in order along it, with a little noise."""
    length = random.randint(16, 32)
    first = [random.gauss(0, 1) for _ in range(channels)]
    second = [random.gauss(0, 1) for _ in range(channels)]
    positions = []
    for place in range(length):
        angle = 2 * math.pi * place / length
        along = {"line": (angle / math.pi - 1, 0.0), "ellipse": (math.cos(angle), math.sin(angle))}.get(shape)
        spread = 0.05 if along else 1.0
        one, other = along or (0.0, 0.0)
        pairs = zip(first, second, strict=True)
        positions.append([one * a + other * b + random.gauss(0, spread) for a, b in pairs])
    return positions
