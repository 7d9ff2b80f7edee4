"""The rows of a split that can be read, where those that cannot are left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Stream
from mmlm_core.settings import OnError
from mmlm_core.types import Example

__all__ = ["pass_over", "readable", "targets_of"]


def readable(
    rows: Sequence[Example] | Stream,
    on_error: OnError,
    places: Iterable[int] | None = None,
    faults: list[DataError] | None = None,
) -> Iterator[Example]:
    """Yield the rows in order; those that cannot be read are passed over where rows are skipped.

    What is looked at before a training (texts for the tokenizer, labels) is not what counts and tells such rows: the
    loader does. Of a shard that breaks off, the rows before that are given.

    Args:
        rows: The rows.
        on_error: What happens with a row that cannot be read.
        places: Of a sequence, the rows that are wanted; None: all.
        faults: Takes why each row that is passed over cannot be read.

    Raises:
        DataError: A row cannot be read, and `on_error` is `raise`.
    """
    for row in _read(rows, places):
        if isinstance(row, DataError):
            pass_over(row, on_error, faults)
        else:
            yield row


def _read(rows: Sequence[Example] | Stream, places: Iterable[int] | None) -> Iterator[Example | DataError]:
    """Yield the rows, and in the place of what cannot be read, why."""
    if isinstance(rows, Stream):
        for shard in range(rows.shards):
            try:
                yield from map(_checked, rows.rows(shard))
            except DataError as error:
                yield error
        return
    for place in range(len(rows)) if places is None else places:
        try:
            row = _checked(rows[place])
        except DataError as error:
            row = error
        yield row


def _checked(row: Example) -> Example | DataError:
    return row if row.fault is None else DataError(f"`{row.key}`: {row.fault}")


def targets_of(
    rows: Sequence[Example] | Stream, on_error: OnError, faults: list[DataError] | None = None
) -> Iterator[Any]:
    """Yield the targets of the rows that can be read, as `readable` does, by the way that is fastest.

    Raises:
        DataError: A row cannot be read, and `on_error` is `raise`.
    """
    many, given = getattr(rows, "targets", None), 0
    if many is None or isinstance(rows, Stream):
        yield from (row.target for row in readable(rows, on_error, faults=faults))
        return
    try:
        for target in many():
            yield target
            given += 1
    except DataError as error:
        pass_over(error, on_error)  # the rows' own errors follow
        yield from (row.target for row in readable(rows, on_error, range(given, len(rows)), faults))


def pass_over(error: DataError, on_error: OnError, faults: list[DataError] | None = None) -> None:
    """Note why a row cannot be used; or raise it, with what leaves such rows out, where they are not skipped."""
    if on_error is OnError.RAISE:
        raise DataError(f"{error} To leave such rows out: `loader.on_error=skip`.") from error
    if faults is not None:
        faults.append(error)
