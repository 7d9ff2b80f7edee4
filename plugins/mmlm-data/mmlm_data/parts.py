"""The rows of one file as columns, in memory or memory-mapped."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
from numpy.typing import NDArray

from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_data.spool import spooled

__all__ = [
    "ArrowColumn",
    "ArrowFile",
    "Column",
    "Part",
    "cells",
    "check_columns",
    "columns_of_batches",
    "part_of_rows",
    "value",
]

SHOWN = 60
"""Names, and characters of each, that a message lists at most."""

TAKEN = 1 << 14
"""Cells that become Python values at a time."""

Column: TypeAlias = Any
"""A `pyarrow.ChunkedArray` or a sequence; see `value`."""


@dataclass(frozen=True)
class Part:
    """The rows of one file. Picklable.

    Attributes:
        path: The file.
        columns: Its columns by name, each as long as the file has rows.
        count: The rows.
        folder: What the paths of media are relative to.
        keys: What names each row; None: the file's name and the row's number.
    """

    path: Path
    columns: Mapping[str, Column]
    count: int
    folder: Path
    keys: Column | None = None


def value(column: Column, row: int) -> Any:
    """Return a cell as a plain Python value.

    Raises:
        DataError: It cannot be read.
    """
    cell = column[row]
    return cell.as_py() if isinstance(cell, pa.Scalar) else cell


def cells(column: Column, rows: NDArray[np.int64]) -> Iterator[Any]:
    """Yield the cells of some rows as plain Python values, many at a time where the column is Arrow's.

    Args:
        column: The column.
        rows: Ascending.

    Raises:
        DataError: A cell cannot be read.
    """
    if isinstance(column, pa.ChunkedArray):
        batches = column.chunks
    elif isinstance(column, ArrowColumn):
        batches = column.batches
    else:
        yield from (value(column, row) for row in rows.tolist())
        return
    ends = np.cumsum([len(batch) for batch in batches])
    bounds = np.searchsorted(rows, ends)
    for number, (first, last) in enumerate(pairwise([0, *bounds.tolist()])):
        for start in range(first, last, TAKEN):
            if isinstance(column, ArrowColumn):
                column.check(number)
            begins = ends[number] - len(batches[number])
            taken = batches[number].take(pa.array(rows[start : min(start + TAKEN, last)] - begins))
            yield from taken.to_pylist()


def part_of_rows(
    path: Path, rows: Sequence[Mapping[str, Any]], schema: pa.Schema, folder: Path | None = None, keys: str = ""
) -> Part:
    """Return rows that were read from a file, compactly.

    Args:
        path: The file.
        rows: They have at least the schema's columns.
        schema: The columns that are kept.
        folder: What the paths of media are relative to; None: the file's folder.
        keys: The column that names each row; empty: there is none.

    Raises:
        DataError: There are no rows, or a cell is of another type than its column.
    """
    if not rows:
        raise DataError(f"`{path}` has no rows.")
    try:
        table = pa.Table.from_pylist(rows, schema=schema)
    except (pa.ArrowException, TypeError, UnicodeError, OverflowError) as error:
        raise DataError(f"`{path}` has a value of another type than its fellows: {error}.") from error
    columns = {name: table.column(name) for name in table.column_names}
    return Part(path, columns, len(rows), folder or path.parent, columns[keys] if keys else None)


def check_columns(path: Path, names: Sequence[str], wanted: Mapping[str, str]) -> None:
    """Raise `DataError` where a name stands twice, or a wanted column is missing; say all that are.

    Args:
        path: The file.
        names: Its columns.
        wanted: Names of columns, each with the option that names it.
    """
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise DataError(f"`{path}` has {names.count(twice[0])} columns named `{twice[0][:SHOWN]}`: rename all but one.")
    short = [name for name in names if len(name) <= SHOWN]
    missing = [
        f"`{path}` has no column `{name}`, which `{option}` names.{did_you_mean(name, short)}"
        for name, option in wanted.items()
        if name not in names
    ]
    if missing:
        other = next((sign for sign in (",", ";", "\t", "|") if len(names) == 1 and sign in names[0]), None)
        hint = f" Are they divided by {other!r}? It must be by commas, or by tabs in a .tsv." if other else ""
        known = [name if len(name) <= SHOWN else f"{name[:SHOWN]}..." for name in names[:SHOWN]]
        raise DataError("\n".join(missing) + one_of(known) + hint)


class ArrowFile(Mapping[str, "ArrowColumn"]):
    """Columns of an Arrow file, memory-mapped. Another process maps the file anew, instead of being sent its content.

    Args:
        path: The file, in Arrow's file or stream format.
        names: The columns.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path, self.names = path, tuple(names)
        with pa.memory_map(str(path)) as file:
            try:
                table = ipc.open_file(file).read_all()
            except pa.ArrowInvalid:
                file.seek(0)
                table = ipc.open_stream(file).read_all()
        self._columns = {name: ArrowColumn(path, table.column(name)) for name in self.names}

    def __getitem__(self, name: str) -> ArrowColumn:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __reduce__(self) -> tuple[type[ArrowFile], tuple[Path, Sequence[str]]]:
        return ArrowFile, (self.path, self.names)


class ArrowColumn(Sequence[Any]):
    """A column of an Arrow or a Parquet file, each batch of which is examined when it is first asked for.

    Arrow takes what a file says on trust: a damaged one would end the process.

    Args:
        path: The file, for messages.
        column: What was read of it.

    Attributes:
        batches: None of them is empty.
    """

    def __init__(self, path: Path, column: pa.ChunkedArray) -> None:
        self._path = path
        self.batches = [chunk for chunk in column.chunks if len(chunk)]
        self._ends = list(accumulate(map(len, self.batches)))
        self._sound = [False] * len(self.batches)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, place: Any) -> Any:
        """Return a cell, as a plain Python value.

        Raises:
            DataError: The batch is damaged.
        """
        if not 0 <= place < len(self):
            raise IndexError(place)
        number = bisect_right(self._ends, place)
        self.check(number)
        try:
            return self.batches[number][place - (self._ends[number - 1] if number else 0)].as_py()
        except (pa.ArrowException, ValueError, OverflowError) as error:
            raise self._damaged(number, error) from error

    def check(self, number: int) -> None:
        """Examine a batch, unless it was.

        Raises:
            DataError: It is damaged.
        """
        if not self._sound[number]:
            try:
                self.batches[number].validate(full=True)
            except (pa.ArrowException, ValueError, OverflowError) as error:
                raise self._damaged(number, error) from error
            self._sound[number] = True

    def _damaged(self, number: int, error: Exception) -> DataError:
        return DataError(f"`{self._path}` is damaged in its batch {number + 1}: {error}.")


def columns_of_batches(
    path: Path, recipe: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> Mapping[str, Column]:
    """Return columns that are too large for the memory, laid down once as an Arrow file.

    Args:
        path: The file that they are read from.
        recipe: What is read of it.
        schema: Of the columns.
        batches: The rows; read only where they were not laid down before.
    """

    def write(made: Path) -> None:
        with pa.OSFile(str(made), "wb") as file, ipc.new_file(file, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)

    return ArrowFile(spooled(path, f"arrow of {recipe}", write), schema.names)
