"""What the data sources of this plugin share: files, mapped to inputs and a target, and divided into splits."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mmlm_core.errors import DataError, did_you_mean, one_of, quoted
from mmlm_core.interfaces import DataSource
from mmlm_data.guessing import say_guesses
from mmlm_data.options import FileOptions, columns_of
from mmlm_data.parts import Part, check_columns
from mmlm_data.rows import Rows
from mmlm_data.splits import SPLITS, TEST, TRAIN, VALIDATION, WORDS, fold_shares, group_shares, hashed_shares

__all__ = ["FileSource"]


class FileSource(DataSource):
    """Rows of files of some format, of which a subclass gives the columns.

    Args:
        options: Which files, how they are divided, and what their columns are.

    Attributes:
        name: What chooses the source.
        own_split: A column in which the format itself says each row's split, where it does; empty: it never does.
    """

    name: ClassVar[str]
    own_split: ClassVar[str] = ""

    def __init__(self, options: FileOptions) -> None:
        self._options = options
        self._inputs = {modality: names for modality, names in columns_of(options.inputs).items() if names}
        self._files: dict[str, Rows] = {}
        say_guesses(options)

    @abstractmethod
    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """Return the rows of a path, by file.

        Args:
            path: What `data.path`, `data.validation` or `data.test` says.
            wanted: The columns that are wanted at least, each with the option that names it, for messages.

        Raises:
            DataError: A file is missing, empty or broken.
        """

    def splits(self) -> list[str]:
        """Return the splits that have a file of their own or a share of `path`."""
        return [split for split in SPLITS if self._own(split) or split in self._shares]

    def read(self, split: str) -> Rows:
        """Return the rows of a split.

        Raises:
            DataError: There is no such split or no row in it; a file is missing or broken; a column is missing.
        """
        if split not in self.splits():
            if split == TRAIN and self._shares:  # only rows that say their split leave it without any
                raise DataError(f"No row of `{self._path}` is of the split `train`: its column "
                                f"`{self._options.split_column or self.own_split}` says "
                                f"{' and '.join(f'`{other}`' for other in self._shares)} alone.")  # fmt: skip
            raise DataError(
                f"`data={self.name}` has no split `{split}`.{did_you_mean(split, SPLITS)}{one_of(self.splits())}"
            )
        target = self._options.target
        if not self._inputs and not target:
            raise DataError(f"`data={self.name}` maps no column: say, as an example, `data.inputs.text=COLUMN`.")
        own = self._own(split)
        rows = self._file(own) if own else self._shared(split)
        rows = rows[: self._options.limit]
        wanted = [name for names in self._inputs.values() for name in names]
        if wanted and _all_empty(rows, wanted):
            names = ", ".join(f"`{name}`" for name in wanted)
            raise DataError(f"`{rows.path}` has only empty cells in {names}, in all rows of the split `{split}`.")
        if split == TRAIN and target and _all_empty(rows, [target]):
            raise DataError(f"`{rows.path}` has only empty cells in `{target}`, in all rows of the split `{split}`: "
                            "there is nothing to learn to say.")  # fmt: skip
        return rows

    def _own(self, split: str) -> str | None:
        """Return the path of a split that has one of its own."""
        return {VALIDATION: self._options.validation, TEST: self._options.test}.get(split)

    def _shared(self, split: str) -> Rows:
        return replace(self._file(self._path), numbers=self._shares[split])

    @property
    def _path(self) -> str:
        if not self._options.path:
            raise DataError("`data.path` must name a file, as `data.path=captions.csv`.")
        return self._options.path

    @cached_property
    def _shares(self) -> dict[str, NDArray[np.int64]]:
        """The rows of `path` that each split has. Shape: [rows]."""
        options = self._options
        if not options.path and (options.validation or options.test):
            return {}
        rows = self._file(self._path)
        if options.split_column:
            return _said_shares(rows, options.split_column)
        fractions = {
            VALIDATION: 0.0 if options.validation else options.validation_fraction,
            TEST: 0.0 if options.test else options.test_fraction,
        }
        groups = None
        if options.group_column:
            groups = rows.column(options.group_column)
        if options.folds:
            held = VALIDATION if options.test else TEST
            validation = 0.0 if held == VALIDATION else fractions[VALIDATION]
            return fold_shares(len(rows), options.split_seed, options.folds, options.fold, validation, held, groups)
        if groups is not None:
            return group_shares(groups, options.split_seed, fractions[VALIDATION], fractions[TEST])
        if self.own_split and not _all_empty(rows, [self.own_split]):
            return self._completed(_said_shares(rows, self.own_split), fractions)
        return hashed_shares(len(rows), options.split_seed, fractions[VALIDATION], fractions[TEST])

    def _completed(
        self, shares: dict[str, NDArray[np.int64]], fractions: Mapping[str, float]
    ) -> dict[str, NDArray[np.int64]]:
        """Return the splits that the format says, without those that have a path of their own; a split that it does
        not have takes its fraction of the training rows.
        """
        kept = {split: share for split, share in shares.items() if not self._own(split)}
        lacking = {split: 0.0 if split in kept else fraction for split, fraction in fractions.items()}
        if TRAIN not in kept or not any(lacking.values()):
            return kept
        train = kept.pop(TRAIN)
        more = hashed_shares(len(train), self._options.split_seed, lacking[VALIDATION], lacking[TEST])
        return kept | {split: train[share] for split, share in more.items()}

    def _file(self, path: str) -> Rows:
        """Return all rows of a path, which is read once."""
        if path not in self._files:
            options = self._options
            wanted = options.wanted(path)
            parts = self.parts(path, wanted)
            for part in parts:
                check_columns(part.path, list(part.columns), wanted)
            count = sum(part.count for part in parts)
            self._files[path] = Rows(
                parts,
                np.arange(count),
                self._inputs,
                options.target or None,
                options.prompt or None,
                options.target_files,
                options.groups or None,
            )
        return self._files[path]


def _said_shares(rows: Rows, column: str) -> dict[str, NDArray[np.int64]]:
    """Return the rows that a column gives to each split."""
    shares: dict[str, list[int]] = {split: [] for split in SPLITS}
    for place, said in enumerate(rows.column(column)):
        split = WORDS.get(said.strip().lower()) if isinstance(said, str) else None
        if split is None:
            raise DataError(
                f"`{rows.key(place)}`: The column `{column}` must name a split, not {quoted(said)}."
                f"{did_you_mean(str(said), WORDS)}{one_of(list(WORDS))}"
            )
        shares[split].append(place)
    return {split: np.array(share, dtype=np.int64) for split, share in shares.items() if share}


def _all_empty(rows: Rows, names: Sequence[str]) -> bool:
    """Whether every cell of some columns is empty."""
    return all(rows.is_empty(place, name) for place in range(len(rows)) for name in names)
