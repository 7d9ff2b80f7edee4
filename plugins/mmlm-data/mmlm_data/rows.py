"""Rows of files as examples, made when they are asked for."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, repeat
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from mmlm_core.errors import DataError, quoted
from mmlm_core.types import Example
from mmlm_data.options import origins_of
from mmlm_data.parts import Part, cells, value

__all__ = ["Rows"]

TEXT = "text"


@dataclass(frozen=True)
class Rows(Sequence[Example]):
    """Some rows of one file or several. Picklable, and cheap to index: columns stay as they were read.

    Attributes:
        parts: The files.
        numbers: The rows' numbers, ascending, counted from 0 through all files. Shape: [rows].
        inputs: The columns of each modality.
        target: The target's column.
        prompt: The prompt's column.
        target_files: Whether targets name files.
        group: The column of what each row is measured under.
    """

    parts: Sequence[Part]
    numbers: NDArray[np.int64]
    inputs: Mapping[str, Sequence[str]]
    target: str | None = None
    prompt: str | None = None
    target_files: bool = False
    group: str | None = None

    @property
    def path(self) -> Path:
        """The first file."""
        return self.parts[0].path

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Example: ...

    @overload
    def __getitem__(self, place: slice) -> Rows: ...

    def __getitem__(self, place: int | slice) -> Example | Rows:
        """Return a row; or, for a slice, some rows.

        Raises:
            DataError: The row cannot be read, or a cell of a text column is something else.
        """
        if isinstance(place, slice):
            return replace(self, numbers=self.numbers[place])
        part, row = self._find(place)
        key = _key(part, row)
        inputs = {modality: _items(part, modality, names, row, key) for modality, names in self.inputs.items()}
        prompt = _cell(part, self.prompt, row)
        if prompt is not None and not isinstance(prompt, str):
            raise DataError(f"`{key}`: The column `{self.prompt}` must hold a text, not {_described(prompt)}.")
        target = _cell(part, self.target, row)
        group = _cell(part, self.group, row)
        return Example(key, inputs, _media(part.folder, target) if self.target_files else target, prompt,
                       group=None if group is None else str(group), origins=self._origins)  # fmt: skip

    def key(self, place: int) -> str:
        """Return what names a row."""
        return _key(*self._find(place))

    def cell(self, name: str, place: int) -> Any:
        """Return a cell; None where it is empty.

        Raises:
            DataError: The row cannot be read.
        """
        part, row = self._find(place)
        return _cell(part, name, row)

    def column(self, name: str | None) -> Iterator[Any]:
        """Yield the cell of each row, in order, faster than row by row; None where it is empty.

        Raises:
            DataError: A row cannot be read.
        """
        for part, rows in self._by_part():
            for cell in repeat(None, len(rows)) if name is None else cells(part.columns[name], rows):
                yield None if _is_empty(cell) else cell

    def targets(self) -> Iterator[Any]:
        """Yield the target of each row, in order. See `DataSource.read`."""
        if not self.target_files:
            yield from self.column(self.target)
            return
        for place in range(len(self)):
            part, row = self._find(place)
            yield _media(part.folder, _cell(part, self.target, row))

    def is_empty(self, place: int, name: str) -> bool:
        """Whether a row's cell is empty; one that cannot be read is not."""
        try:
            return self.cell(name, place) is None
        except DataError:
            return False

    def _by_part(self) -> Iterator[tuple[Part, NDArray[np.int64]]]:
        """Yield the rows' files, each with the ascending numbers of the next rows there."""
        begins = 0
        for part, end in zip(self.parts, self._ends, strict=True):
            first, last = np.searchsorted(self.numbers, (begins, end))
            yield part, self.numbers[first:last] - begins
            begins = end

    def _find(self, place: int) -> tuple[Part, int]:
        """Return the file of a row, and the row's number there."""
        number = int(self.numbers[place])
        found = bisect_right(self._ends, number)
        return self.parts[found], number - (self._ends[found - 1] if found else 0)

    @cached_property
    def _origins(self) -> dict[str, str]:
        return origins_of(self.inputs, self.target, self.prompt)

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(part.count for part in self.parts))


def _key(part: Part, row: int) -> str:
    return f"{part.path.name}:{row + 1}" if part.keys is None else str(value(part.keys, row))


def _cell(part: Part, name: str | None, row: int) -> Any:
    """Return a cell; None where it is empty."""
    cell = None if name is None else value(part.columns[name], row)
    return None if _is_empty(cell) else cell


def _items(part: Part, modality: str, names: Sequence[str], row: int, key: str) -> list[Any]:
    items = []
    for name in names:
        cell = _cell(part, name, row)
        for item in cell if isinstance(cell, list) else [cell]:
            if _is_empty(item):
                continue
            if modality != TEXT:
                items.append(_media(part.folder, item))
            elif isinstance(item, str):
                items.append(item)
            else:
                raise DataError(f"`{key}`: The column `{name}` must hold texts, not {_described(item)}.")
    return items


def _media(folder: Path, item: Any) -> Any:
    """Return media with its path made whole; `{bytes, path}` is how Hugging Face `datasets` stores it."""
    if isinstance(item, str):
        return os.path.join(folder, item)  # noqa: PTH118 (pathlib takes ten times as long)
    if isinstance(item, dict) and item.get("bytes") is None and isinstance(item.get("path"), str):
        return os.path.join(folder, item["path"])  # noqa: PTH118
    return item


def _is_empty(item: Any) -> bool:
    if isinstance(item, dict):
        return all(map(_is_empty, item.values()))
    # nan is no value; but an empty list is one: no label, no answer
    return item is None or item != item or (isinstance(item, str | bytes) and not item)


def _described(item: Any) -> str:
    return f"{quoted(item)} ({type(item).__name__})"
