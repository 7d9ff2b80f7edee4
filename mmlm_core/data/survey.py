"""The rows that are looked at before a training, and what is told where they hold nothing to learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

from mmlm_core.data.dataset import Rows
from mmlm_core.data.readable import readable, targets_of
from mmlm_core.data.texts import corpus
from mmlm_core.errors import DataError, quoted
from mmlm_core.interfaces import Stream
from mmlm_core.settings import OnError
from mmlm_core.types import Example

__all__ = ["Survey"]

SHOWN = 3
"""Rows, and faults, that a message shows."""

PARTS = ("text", "prompt", "target")
"""The parts of a row that texts are looked for in."""


class Survey:
    """Rows for the tokenizer and for the facts of a head, read anew for each.

    Where one of them makes nothing of the rows, its error is told with what the rows are like: a number as caption, a
    column that is empty, members of a tar that are missing.

    Args:
        rows: Of the training.
        on_error: Whether a row that cannot be read stops, or is passed over.
        most: Rows that are looked at; None: all.
    """

    def __init__(self, rows: Rows, on_error: OnError, most: int | None = None) -> None:
        self._rows, self._on_error, self._most = rows, on_error, most
        self._count = 0
        self._faults: list[DataError] = []
        self._first: list[Example] = []
        self._now: Example | None = None
        self._place: int | None = None
        self._whole = False

    def __iter__(self) -> Iterator[Example]:
        """Yield the rows.

        Raises:
            DataError: A row cannot be read, and that stops.
        """
        return self._walk(None)

    def _walk(self, places: Iterable[int] | None) -> Iterator[Example]:
        self._begin()
        for row in islice(readable(self._rows, self._on_error, places, self._faults), self._most):
            self._count += 1
            if len(self._first) < SHOWN:
                self._first.append(row)
            self._now = row
            yield row
            self._now = None
        self._whole = True

    def texts(self, said: Callable[[Example], Iterable[str]], most: int) -> Iterator[str]:
        """Yield the texts of the rows, as `corpus`; a row with what is no valid text is one that cannot be read.

        Args:
            said: See `corpus`.
            most: Rows of a sequence that are looked at, spread evenly.
        """
        places = None
        if not isinstance(self._rows, Stream) and len(self._rows) > most:
            places = (place * len(self._rows) // most for place in range(most))
        return corpus(self._walk(places), said=said, on_error=self._on_error, faults=self._faults)

    def targets(self) -> Iterator[Any]:
        """Yield the targets of the rows, without making the rows where these know a faster way.

        Raises:
            DataError: A row cannot be read, and that stops.
        """
        rows = self._rows
        if isinstance(rows, Stream) or not hasattr(rows, "targets"):
            yield from (row.target for row in self)
            return
        self._begin()
        for target in targets_of(rows, self._on_error, self._faults):
            self._count, self._place = self._count + 1, self._count
            yield target
            self._place = None
        with suppress(DataError):
            self._first += [rows[place] for place in range(min(SHOWN, len(rows)))]
        self._whole = True

    def _begin(self) -> None:
        self._faults.clear()  # `texts` has handed it on
        self._first.clear()
        self._count, self._now, self._place, self._whole = 0, None, None, False

    @contextmanager
    def explaining(self, parts: Sequence[str] = PARTS) -> Iterator[None]:
        """Add to an error what the rows are like that it is about.

        Args:
            parts: Of a row, those that the error is about.

        Raises:
            DataError: The error, with that.
        """
        try:
            yield
        except DataError as error:
            if self._whole:
                raise DataError(f"{error} {self._told(parts)}") from error
            now = self._present()
            if now is not None and f"`{now.key}`" not in str(error):
                raise DataError(f"{now.place(parts[-1])}: {error}") from error
            raise

    def _present(self) -> Example | None:
        """Return the row that is being looked at, where that is known."""
        if self._place is not None and not self._faults and not isinstance(self._rows, Stream):
            with suppress(DataError):
                return self._rows[self._place]
        return self._now

    def _told(self, parts: Sequence[str]) -> str:
        """Return what the first rows have, and why others cannot be read."""
        told = []
        if self._faults:
            more = len(self._faults) - SHOWN
            told.append(f"{_rows(len(self._faults))} cannot be used:"
                        + "".join(f"\n- {fault}" for fault in self._faults[:SHOWN])
                        + (f"\n- and {more:,} more." if more > 0 else ""))  # fmt: skip
        if self._first:
            told.append(f"{_rows(self._count)} of `train` {'was' if self._count == 1 else 'were'} read, as:"
                        + "".join(f"\n- {_described(row, parts)}" for row in self._first))  # fmt: skip
        return "\n".join(told) or "There is no row in `train`."


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _described(row: Example, parts: Sequence[str]) -> str:
    """Return what a row has as some of its parts; of those that are no inputs, also that it has none."""
    given = {"target": row.target, "prompt": row.prompt, **row.inputs}
    has = [f"{row.origin(part, part)} is {quoted(given[part])}" for part in parts if _is_there(given.get(part))]
    lacks = [f"{row.origin(part, part)} is empty" for part in parts
             if not _is_there(given.get(part)) and (part in row.origins or part == "target")]  # fmt: skip
    return f"`{row.key}`: {', '.join([*has, *lacks])}"


def _is_there(value: object) -> bool:
    return value is not None and value != []
