"""The rows of a split that can be read, where those that cannot are left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Stream
from mmlm_core.settings import OnError
from mmlm_core.types import Example

__all__ = ["readable"]


def readable(
    rows: Sequence[Example] | Stream, on_error: OnError, places: Iterable[int] | None = None
) -> Iterator[Example]:
    """Yield the rows in order; those that cannot be read are passed over where rows are skipped.

    What is looked at before a training (texts for the tokenizer, labels) is not what counts and tells such rows: the
    loader does. Of a shard that breaks off, the rows before that are given.

    Args:
        rows: The rows.
        on_error: What happens with a row that cannot be read.
        places: Of a sequence, the rows that are wanted; None: all.

    Raises:
        DataError: A row cannot be read, and `on_error` is `raise`.
    """
    if isinstance(rows, Stream):
        for shard in range(rows.shards):
            try:
                yield from rows.rows(shard)
            except DataError as error:
                _pass_over(error, on_error)
        return
    for place in range(len(rows)) if places is None else places:
        try:
            row = rows[place]
        except DataError as error:
            _pass_over(error, on_error)
            continue
        yield row


def _pass_over(error: DataError, on_error: OnError) -> None:
    if on_error is OnError.RAISE:
        raise DataError(f"{error} To leave such rows out: `loader.on_error=skip`.") from error
