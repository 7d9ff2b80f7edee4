"""Reads the rows of an embedded Parquet file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar, overload

import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.parquet as parquet

from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_core.types import Example
from mmlm_samples import files
from mmlm_samples.options import columns_of

__all__ = ["SPLITS", "SampleFile", "SampleRows", "spread"]

Row = TypeVar("Row")

SPLITS = ("train", "validation", "test")
"""The splits, in the order in which they are told."""


@dataclass(frozen=True)
class SampleRows(Sequence[Example]):
    """Some rows of an embedded file. Picklable, and cheap to index.

    Attributes:
        name: The file's name.
        table: The columns that are read.
        numbers: Each row's number in the file, from 0.
        inputs: The columns of each modality.
        target: The target's column.
    """

    name: str
    table: pa.Table
    numbers: Sequence[int]
    inputs: Mapping[str, Sequence[str]]
    target: str | None

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Example: ...

    @overload
    def __getitem__(self, place: slice) -> SampleRows: ...

    def __getitem__(self, place: int | slice) -> Example | SampleRows:
        """Return a row; or, for a slice, some rows."""
        if isinstance(place, slice):
            numbers = self.numbers[place]
            return replace(self, table=self.table.take(list(range(len(self))[place])), numbers=numbers)
        number = self.numbers[place]
        place %= len(self)
        inputs = {modality: self._items(names, place) for modality, names in self.inputs.items()}
        target = None if self.target is None else self.table.column(self.target)[place].as_py()
        return Example(f"{self.name}:{number + 1}", inputs, target)

    def _items(self, names: Sequence[str], place: int) -> list[Any]:
        """Return what lies in the cells: a list is several items, an empty cell none."""
        cells = [self.table.column(name)[place].as_py() for name in names]
        items = [item for cell in cells for item in (cell if isinstance(cell, list) else [cell])]
        return [item for item in items if item not in (None, "", b"")]


class SampleFile:
    """An embedded Parquet file with a column that says each row's split.

    Args:
        data: The file's name.
        inputs: The column or columns of each modality.
        target: The target's column; rows without a target are left out. None: no target.
        limit: Rows of a split at most, spread over it evenly.
        split_column: The column that says the split.
        keep: Columns with the values that rows must have there.
        merge: Splits of the file whose rows are read as a part of another.
        called: The data source's name, where it is another than the file's.
    """

    def __init__(
        self,
        data: str,
        inputs: Mapping[str, Any],
        target: str | None,
        limit: int | None,
        split_column: str = "split",
        keep: Mapping[str, Sequence[Any]] | None = None,
        merge: Mapping[str, str] | None = None,
        called: str | None = None,
    ) -> None:
        self.data = called or data
        self.path = files.path(data)
        self.inputs = columns_of(inputs)
        self.target = target
        self.limit = limit
        self.split_column = split_column
        self.keep = dict(keep or {})
        self.merge = dict(merge or {})

    def splits(self) -> list[str]:
        """Return the splits that have rows."""
        stored = compute.unique(self._kept.column(self.split_column)).to_pylist()
        present = {self.merge.get(split, split) for split in stored}
        return [split for split in SPLITS if split in present]

    def read(self, split: str) -> SampleRows:
        """Return the rows of a split.

        Raises:
            DataError: There is no such split, or no such column.
        """
        numbers = pa.array(self.numbers(split), pa.int64())
        wanted = {name: f"data.inputs.{modality}" for modality, names in self.inputs.items() for name in names}
        if self.target is not None:
            wanted[self.target] = "data.target"
        table = self.columns(wanted).take(numbers)
        if self.target is not None:
            given = _is_given(table.column(self.target))
            table, numbers = table.filter(given), numbers.filter(given)
        rows = SampleRows(self.path.name, table, numbers.to_pylist(), self.inputs, self.target)
        if self.limit is None or self.limit >= len(rows):
            return rows
        places = spread(range(len(rows)), self.limit)
        return replace(rows, table=table.take(places), numbers=[rows.numbers[place] for place in places])

    def numbers(self, split: str) -> list[int]:
        """Return the numbers of the rows of a split in the file, from 0.

        Raises:
            DataError: There is no such split.
        """
        splits = self.splits()
        if split not in splits:
            raise DataError(f"`data={self.data}` has no rows for the split `{split}`."
                            f"{did_you_mean(split, splits)}{one_of(splits)}")  # fmt: skip
        stored = [name for name in SPLITS if self.merge.get(name, name) == split]
        chosen = compute.is_in(self._kept.column(self.split_column), value_set=pa.array(stored))
        numbers: list[int] = self._kept.filter(chosen).column("number").to_pylist()
        return numbers

    def columns(self, wanted: Mapping[str, str]) -> pa.Table:
        """Return columns of the whole file; `wanted` gives for each the option that names it.

        Raises:
            DataError: A column is missing.
        """
        with self._open() as file:
            names = file.schema_arrow.names
            missing = [
                f"`data={self.data}` has no column `{name}`, which `{option}` names.{did_you_mean(name, names)}"
                for name, option in wanted.items()
                if name not in names
            ]
            if missing:
                raise DataError("\n".join(missing) + one_of(names))
            return file.read(columns=list(wanted))

    @cached_property
    def _kept(self) -> pa.Table:
        """The split of each row that is kept, and the row's `number`."""
        with self._open() as file:
            table = file.read(columns=list(dict.fromkeys([self.split_column, *self.keep])))
        table = table.append_column("number", pa.array(range(table.num_rows), pa.int64()))
        for name, values in self.keep.items():
            table = table.filter(compute.is_in(table.column(name), value_set=pa.array(values)))
        return table

    def _open(self) -> parquet.ParquetFile:
        try:
            return parquet.ParquetFile(self.path, memory_map=True)
        except (OSError, pa.ArrowException) as error:
            raise DataError(
                f"`{self.path}`, which is a part of mmlm-samples, cannot be read: {error}. Install mmlm-samples again."
            ) from error


def spread(rows: Sequence[Row], limit: int | None) -> Sequence[Row]:
    """Return so many rows at most, spread evenly."""
    if limit is None or limit >= len(rows):
        return rows
    return [rows[place * len(rows) // limit] for place in range(limit)]


def _is_given(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return whether each cell holds something: no null, no empty text, no empty list."""
    valid = compute.is_valid(column)
    if pa.types.is_list(column.type):
        return compute.and_(valid, compute.greater(compute.fill_null(compute.list_value_length(column), 0), 0))
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return compute.and_(valid, compute.not_equal(compute.fill_null(column, ""), ""))
    return valid
