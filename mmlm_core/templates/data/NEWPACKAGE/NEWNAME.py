"""The data source `NEWNAME`."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_core.interfaces.data_source import DataSource
from mmlm_core.types import Example

from NEWPACKAGE.plugin import NEWCLASSOptions

__all__ = ["NEWCLASSData"]

COLOURS = ("red", "blue", "green")


class NEWCLASSData(DataSource):
    """Rows that follow from the seed, the split and their number alone.

    Args:
        options: The options.
    """

    def __init__(self, options: NEWCLASSOptions) -> None:
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
            raise DataError(f"`data=NEWNAME` has no split `{split}`.{meant}")
        return [self._row(split, number) for number in range(self.sizes[split])]

    def _row(self, split: str, number: int) -> Example:
        random = Random(f"{self.options.seed} {split} {number}")
        label = COLOURS[number % len(COLOURS)]
        others = [colour for colour in COLOURS if colour != label]
        most = self.options.words // 2 + 1
        words = [label] * most + [random.choice(others) for _ in range(self.options.words - most)]
        random.shuffle(words)
        return Example(f"NEWNAME:{split}:{number}", {"text": [" ".join(words)]}, label)
