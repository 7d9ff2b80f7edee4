"""The contract of splits that are streamed. Imports no torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmlm_core.types import Example

__all__ = ["Stream"]


class Stream(ABC):
    """Rows that are read one after another, in shards; how many there are need not be known. Picklable.

    `DataSource.read` returns one, in a sequence's place, where a split is too large to be indexed. A shard is what can
    be opened by itself, most often a file. A source of streams says *what* the rows of a shard are; which process reads
    which rows, in what order, and where a resumed training goes on is the loader's business:

    - the training's own process reads, and its workers prepare, so that any number of workers gives the same batches.
      A row must be cheap to read and to pickle: media that lie in a file of their own are given as a path, and those
      inside of another file, such as a member of a tar archive, as a `mmlm_core.media.FilePart`;
    - in training, shards come in an order that is drawn anew in each epoch, and rows are shuffled among the next
      `loader.shuffle_rows`;
    - several ranks read apart: where all sizes are known each reads the shards of its own share alone, else each walks
      over all rows and takes its own;
    - a resumed training starts to read in the middle of a shard.

    Attributes:
        shards: How many there are, at least one. They are numbered from 0.

    Example:
        >>> class Lines(Stream):
        ...     def __init__(self, paths):
        ...         self.paths, self.shards = paths, len(paths)
        ...     def rows(self, shard, start=0):
        ...         with open(self.paths[shard], encoding="utf-8") as file:
        ...             for number, line in enumerate(file):
        ...                 if number >= start:
        ...                     yield Example(f"{self.paths[shard]}:{number + 1}", target=line.rstrip())
    """

    shards: int

    @abstractmethod
    def rows(self, shard: int, start: int = 0) -> Iterator[Example]:
        """Yield the rows of a shard, always the same ones in the same order.

        Args:
            shard: Its number.
            start: Rows at the shard's beginning to leave out, as fast as the format allows.

        Raises:
            DataError: The shard is missing, broken, or cut off; the message names it. What was yielded before stays
                valid. Where `loader.on_error` is `skip`, the rest of this shard is left out; so a row that alone
                cannot be read is better given as one with a `fault`.
        """

    def size(self, shard: int) -> int | None:
        """Return how many rows a shard has, where its file says so at once (as a Parquet file's footer does).

        It must be right. None: only reading it tells.
        """
        del shard
        return None

    def __iter__(self) -> Iterator[Example]:
        """Yield every row, shard after shard."""
        for shard in range(self.shards):
            yield from self.rows(shard)
