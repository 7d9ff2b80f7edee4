"""Pieces of text files, read when they are asked for: lines and paragraphs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mmlm_data.encodings import utf8

__all__ = ["EveryLine", "Lines", "Paragraphs"]

BLOCK = 1 << 26
"""Bytes that are searched at once."""

NEWLINE = 10
SPACES = np.frombuffer(b" \t\r\v\f", dtype=np.uint8)

Places: TypeAlias = NDArray[np.int64]


class Spans(Sequence[str]):
    """Pieces of a text file, in order. Picklable: another process maps the file anew.

    Args:
        path: The file.
        encoding: Its encoding.

    Raises:
        DataError: It is in another encoding.
    """

    def __init__(self, path: Path, encoding: str) -> None:
        self.path, self.encoding = path, encoding
        self._content: pa.Buffer | None = utf8(path, encoding)
        array = np.frombuffer(self._content, dtype=np.uint8)
        starts, ends = _line_places(array)
        self._starts, self._ends, self._numbers = self._cut(starts, ends, _blank(array, starts, ends))

    def _cut(self, starts: Places, ends: Places, blank: NDArray[np.bool_]) -> tuple[Places, Places, Places]:
        """Return where the pieces begin and end, and the number of the line in which each begins, from 1.

        Args:
            starts: Where each line begins. Shape: [lines].
            ends: Where it ends, its line break left out.
            blank: Whether nothing stands in it.
        """
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, place: Any) -> Any:
        """Return a piece."""
        if isinstance(place, slice):
            return [self[each] for each in range(len(self))[place]]
        if self._content is None:
            self._content = utf8(self.path, self.encoding)
        return self._content[int(self._starts[place]) : int(self._ends[place])].to_pybytes().decode()

    def number(self, place: int) -> int:
        """Return the number of the line in which a piece begins, from 1."""
        return int(self._numbers[place])

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_content": None}


class Lines(Spans):
    """The lines of a text file that are not blank."""

    def _cut(self, starts: Places, ends: Places, blank: NDArray[np.bool_]) -> tuple[Places, Places, Places]:
        return starts[~blank], ends[~blank], np.flatnonzero(~blank) + 1


class EveryLine(Spans):
    """The lines of a text file, blank ones too; what follows the last line break is one only where it is not empty."""

    def _cut(self, starts: Places, ends: Places, blank: NDArray[np.bool_]) -> tuple[Places, Places, Places]:
        count = len(starts) - int(starts[-1] == ends[-1])
        return starts[:count], ends[:count], np.arange(1, count + 1)


class Paragraphs(Spans):
    """The paragraphs of a text file: lines between blank ones."""

    def _cut(self, starts: Places, ends: Places, blank: NDArray[np.bool_]) -> tuple[Places, Places, Places]:
        before, after = np.r_[True, blank[:-1]], np.r_[blank[1:], True]
        first, last = np.flatnonzero(~blank & before), np.flatnonzero(~blank & after)
        return starts[first], ends[last], first + 1


def _line_places(array: NDArray[np.uint8]) -> tuple[Places, Places]:
    """Return where each line begins and ends. Shape of each: [lines]."""
    found = [np.flatnonzero(array[at : at + BLOCK] == NEWLINE) + at for at in range(0, len(array), BLOCK)]
    breaks = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
    return np.r_[0, breaks + 1].astype(np.int64), np.r_[breaks, len(array)].astype(np.int64)


def _blank(array: NDArray[np.uint8], starts: Places, ends: Places) -> NDArray[np.bool_]:
    """Return which lines hold nothing but white space. Shape: [lines]."""
    blank = ends <= starts
    first = array[np.where(blank, 0, starts)] if len(array) else np.zeros(len(starts), dtype=np.uint8)
    for line in np.flatnonzero(~blank & np.isin(first, SPACES)):  # hardly any line begins with a space
        blank[line] = array[starts[line] : ends[line]].tobytes().isspace()
    return blank
