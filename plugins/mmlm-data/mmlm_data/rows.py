"""Rows of a table as examples, made when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from mmlm_core.errors import DataError
from mmlm_core.types import Example
from mmlm_data.reading import Column, value

__all__ = ["TableRows"]

TEXT = "text"


@dataclass(frozen=True)
class TableRows(Sequence[Example]):
    """Some rows of a file. Picklable, and cheap to index: columns stay as they were read.

    Attributes:
        path: The file; the paths of media in it are relative to its folder.
        columns: Its columns, by name.
        numbers: The rows' numbers in the file, from 0. Shape: [rows].
        inputs: The columns of each modality.
        target: The target's column.
        prompt: The prompt's column.
    """

    path: Path
    columns: Mapping[str, Column]
    numbers: NDArray[np.int64]
    inputs: Mapping[str, Sequence[str]]
    target: str | None = None
    prompt: str | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Example: ...

    @overload
    def __getitem__(self, place: slice) -> TableRows: ...

    def __getitem__(self, place: int | slice) -> Example | TableRows:
        """Return a row; or, for a slice, some rows.

        Raises:
            DataError: A cell of a text column is something else.
        """
        if isinstance(place, slice):
            return replace(self, numbers=self.numbers[place])
        row = int(self.numbers[place])
        key = f"{self.path.name}:{row + 1}"
        inputs = {modality: self._items(modality, names, row, key) for modality, names in self.inputs.items()}
        target = self._cell(self.target, row)
        prompt = self._cell(self.prompt, row)
        if prompt is not None and not isinstance(prompt, str):
            raise DataError(f"`{key}`: The column `{self.prompt}` must hold a text, not {_described(prompt)}.")
        return Example(key, inputs, target, prompt)

    def lacks_target(self, place: int) -> bool:
        """Whether the target's cell of a row is empty."""
        return self._cell(self.target, int(self.numbers[place])) is None

    def _cell(self, name: str | None, row: int) -> Any:
        """Return a cell; None where it is empty."""
        cell = None if name is None else value(self.columns[name], row)
        return None if _is_empty(cell) else cell

    def _items(self, modality: str, names: Sequence[str], row: int, key: str) -> list[Any]:
        items = []
        for name in names:
            cell = self._cell(name, row)
            for item in cell if isinstance(cell, list) else [cell]:
                if _is_empty(item):
                    continue
                if modality != TEXT:
                    items.append(self._media(item))
                elif isinstance(item, str):
                    items.append(item)
                else:
                    raise DataError(f"`{key}`: The column `{name}` must hold texts, not {_described(item)}.")
        return items

    def _media(self, item: Any) -> Any:
        """Return media with its path made whole; `{bytes, path}` is how Hugging Face `datasets` stores it."""
        if isinstance(item, str):
            return self._beside(item)
        if isinstance(item, dict) and item.get("bytes") is None and isinstance(item.get("path"), str):
            return self._beside(item["path"])
        return item

    def _beside(self, path: str) -> str:
        return os.path.join(os.path.dirname(self.path), path)  # noqa: PTH118, PTH120 (pathlib takes ten times as long)


def _is_empty(item: Any) -> bool:
    if isinstance(item, dict):
        return not any(item.values())
    return item is None or (isinstance(item, str | bytes | list) and not item)


def _described(item: Any) -> str:
    return f"{str(item)[:60]!r} ({type(item).__name__})"
