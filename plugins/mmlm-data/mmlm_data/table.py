"""The data source `table`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_core.interfaces import DataSource
from mmlm_core.types import Example
from mmlm_data.options import TableOptions, columns_of
from mmlm_data.reading import column_names, read_columns, value
from mmlm_data.rows import TableRows

__all__ = ["TableSource"]

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")

WORDS = {TRAIN: TRAIN, "training": TRAIN, VALIDATION: VALIDATION, "valid": VALIDATION, "val": VALIDATION,
         "dev": VALIDATION, TEST: TEST, "testing": TEST}  # fmt: skip
"""What a split column may say."""


class TableSource(DataSource):
    """Rows of one file, or of a file for each split.

    Args:
        options: The options.
    """

    def __init__(self, options: TableOptions) -> None:
        self.options = options
        self.inputs = {modality: names for modality, names in columns_of(options.inputs).items() if names}
        self._files: dict[str, TableRows] = {}

    def splits(self) -> list[str]:
        """Return the splits that have a file of their own or a share of `path`."""
        own = {TRAIN: None, VALIDATION: self.options.validation, TEST: self.options.test}
        return [split for split in SPLITS if own[split] or split in self._shares]

    def read(self, split: str) -> Sequence[Example]:
        """Return the rows of a split.

        Raises:
            DataError: There is no such split or no row in it; a file is missing or broken; a column is missing.
        """
        if split not in self.splits():
            raise DataError(f"`data=table` has no split `{split}`.{did_you_mean(split, SPLITS)}{one_of(self.splits())}")
        if not self.inputs and not self.options.target:
            raise DataError("`data=table` maps no column: say, as an example, `data.inputs.text=COLUMN`.")
        own = {VALIDATION: self.options.validation, TEST: self.options.test}.get(split)
        rows = self._file(own) if own else self._shared(split)
        rows = rows[: self.options.limit]
        if self.inputs and not any(any(example.inputs.values()) for example in rows):
            names = ", ".join(f"`{name}`" for names in self.inputs.values() for name in names)
            raise DataError(f"`{rows.path}` has only empty cells in {names}, in all rows of the split `{split}`.")
        if split == TRAIN and self.options.target and all(map(rows.lacks_target, range(len(rows)))):
            raise DataError(f"`{rows.path}` has only empty cells in `{self.options.target}`, in all rows of the split "
                            f"`{split}`: there is nothing to learn to say.")  # fmt: skip
        return rows

    def columns(self, path: Path) -> list[str]:
        """See `DataSource.columns`."""
        return column_names(path, self.options.encoding)

    def open(self, path: Path, inputs: Mapping[str, Sequence[str]], prompt: str | None) -> TableRows:
        """See `DataSource.open`; an option of the training's file other than its encoding has no part in it."""
        wanted = {name: "--column" for names in inputs.values() for name in names}
        wanted |= {prompt: "--column"} if prompt else {}
        read = read_columns(path, wanted, self.options.encoding)
        return TableRows(path, read, np.arange(len(next(iter(read.values())))), inputs, prompt=prompt)

    def _shared(self, split: str) -> TableRows:
        rows = self._file(self._path)
        return TableRows(rows.path, rows.columns, self._shares[split], rows.inputs, rows.target, rows.prompt)

    @property
    def _path(self) -> str:
        if not self.options.path:
            raise DataError("`data.path` must name a file, as `data.path=captions.csv`.")
        return self.options.path

    @cached_property
    def _shares(self) -> dict[str, NDArray[np.int64]]:
        """The rows of `path` that each split has. Shape: [rows]."""
        options = self.options
        if not options.path and (options.validation or options.test):
            return {}
        rows = self._file(self._path)
        if options.split_column:
            return self._said_shares(rows, options.split_column)
        return hashed_shares(
            len(rows),
            options.split_seed,
            0.0 if options.validation else options.validation_fraction,
            0.0 if options.test else options.test_fraction,
        )

    def _said_shares(self, rows: TableRows, column: str) -> dict[str, NDArray[np.int64]]:
        shares: dict[str, list[int]] = {split: [] for split in SPLITS}
        for row in range(len(rows)):
            said = value(rows.columns[column], row)
            split = WORDS.get(said.strip().lower()) if isinstance(said, str) else None
            if split is None:
                raise DataError(
                    f"`{rows.path.name}:{row + 1}`: The column `{column}` must name a split, not {said!r}."
                    f"{did_you_mean(str(said), WORDS)}{one_of(list(WORDS))}"
                )
            shares[split].append(row)
        return {split: np.array(share, dtype=np.int64) for split, share in shares.items() if share}

    def _file(self, path: str) -> TableRows:
        """Return all rows of a file, which is read once."""
        if path not in self._files:
            options = self.options
            wanted = {name: f"data.inputs.{modality}" for modality, names in self.inputs.items() for name in names}
            split_column = options.split_column if path == options.path else None
            others = {"data.target": options.target, "data.prompt": options.prompt, "data.split_column": split_column}
            wanted |= {name: option for option, name in others.items() if name}
            file = Path(path).expanduser()
            columns = read_columns(file, wanted, options.encoding)
            count = len(next(iter(columns.values())))
            self._files[path] = TableRows(
                file, columns, np.arange(count), self.inputs, options.target or None, options.prompt or None
            )
        return self._files[path]


def hashed_shares(rows: int, seed: int, validation: float, test: float) -> dict[str, NDArray[np.int64]]:
    """Divide rows by a hash of their number, so that rows added later change nothing about those before.

    A split that is asked for has at least one row, and the training has one.

    Args:
        rows: How many there are.
        seed: Another one makes another division.
        validation: The share of the validation, from 0 to 1.
        test: The share of the test.

    Raises:
        DataError: There are fewer rows than splits.

    Returns:
        The rows of each split that is asked for, ascending. Shape of each: [rows of the split].
    """
    asked = {split: share for split, share in ((TEST, test), (VALIDATION, validation)) if share > 0}
    if rows < len(asked) + 1:
        raise DataError(
            f"{rows} row{'' if rows == 1 else 's'} cannot be divided into {len(asked) + 1} splits: "
            "name files with `data.validation` and `data.test`, or set "
            "`data.validation_fraction=0 data.test_fraction=0`."
        )
    place = _splitmix(np.arange(rows, dtype=np.uint64), seed) / 2.0**64
    order = np.argsort(place, kind="stable")
    shares = {}
    taken, bound = 0, 0.0
    for later, (split, share) in enumerate(asked.items(), 1):
        bound += share
        until = int(np.searchsorted(place[order], bound))
        until = min(max(until, taken + 1), rows - 1 - (len(asked) - later))
        shares[split] = np.sort(order[taken:until])
        taken = until
    shares[TRAIN] = np.sort(order[taken:])
    return shares


def _splitmix(numbers: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """Return SplitMix64 (Steele et al. 2014) of the numbers: as good as random, and the same on every machine."""
    with np.errstate(over="ignore"):
        mixed = numbers + np.uint64(1) + np.uint64(seed % 2**32) * np.uint64(0x632BE59BD9B4E019)
        mixed *= np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))
