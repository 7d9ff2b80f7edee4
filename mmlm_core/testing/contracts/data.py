"""What a data source keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any

from mmlm_core.errors import DataError
from mmlm_core.interfaces import DataSource, Stream
from mmlm_core.testing.contracts.checks import by_pickle, difference, refuses
from mmlm_core.testing.contracts.common import ComponentContract
from mmlm_core.types import Example

__all__ = ["DataContract"]

SPLITS = ("train", "validation", "test")
SOME = 50
MOST = 10_000
"""Rows of a stream that are read at most, since it may have no end that one could wait for."""


class DataContract(ComponentContract):
    """Rows by split."""

    def source(self) -> DataSource:
        """Return the source, opened."""
        return self.make()  # type: ignore[no-any-return]

    def made(self) -> Any:
        """Return some rows of every split."""
        source = self.source()
        return {split: _some(source.read(split)) for split in source.splits()}

    def test_every_split_can_be_read(self) -> None:
        """Splits are `train`, `validation`, `test`; each has rows with a key of their own."""
        source = self.source()
        splits = source.splits()
        assert splits and set(splits) <= set(SPLITS), (
            f"{self.called} has the splits {splits}: at least one, out of {', '.join(SPLITS)}."
        )
        for split in splits:
            rows = _all(source.read(split))
            assert len(rows) > 0, f"{self.called} has no row in `{split}`: leave an empty split out of `splits`."
            keys = Counter(row.key for row in rows)
            twice = next((key for key, times in keys.items() if times > 1), None)
            assert twice is None, (
                f"{self.called} gives two rows of `{split}` the key {twice!r}: a key says where a row comes from, "
                "such as the file and the number of the line."
            )

    def test_it_gives_what_its_traits_say(self) -> None:
        """The first row has the modalities, and the target, that compatibility was checked with."""
        traits = self.component.traits_for(self.options)
        row = _some(self.source().read(self.source().splits()[0]))[0]
        given = {f"input:{name}" for name in row.inputs} | ({"target"} if row.target is not None else set())
        said = {word for word in traits.provides if word.startswith("input:")}
        said |= {"target"} if traits.has_target else set()
        assert given == said, (
            f"{self.called} gives {sorted(given)} in its first row and says {sorted(said)} in its traits: make them "
            "agree, since compositions are checked by the traits."
        )

    def test_two_reads_give_the_same_rows(self) -> None:
        """Reading again, indexing again, and another source of the same options give the same rows in one order."""
        source, other = self.source(), self.source()
        for split in source.splits():
            rows = source.read(split)
            again = {
                "a second look at the same rows": rows,
                "a second `read`": source.read(split),
                "another source with the same options": other.read(split),
            }
            first = _some(rows)
            for told, found in again.items():
                where = difference(first, _some(found))
                assert where is None, (
                    f"{self.called} gives other rows in `{split}` the second time ({where}, by {told}): a row must "
                    "stay as it is and where it is. Shuffle under a seed of its own, sort what a folder lists, "
                    "and leave augmentation to the processors."
                )

    def test_its_rows_pickle(self) -> None:
        """Data workers are other processes."""
        source = self.source()
        rows = source.read(source.splits()[0])
        where = difference(_some(rows), _some(by_pickle(rows, f"What `read` of {self.called} returns")))
        assert where is None, f"{self.called} gives other rows after pickling ({where}): keep all that they need."

    def test_a_stream_goes_on_in_the_middle_of_a_shard(self) -> None:
        """A resumed training, and each of several ranks, begins where it must, and a size that is told is right."""
        source = self.source()
        for split in source.splits():
            stream = source.read(split)
            if not isinstance(stream, Stream):
                continue
            for shard in range(min(stream.shards, 3)):
                rows = list(islice(stream.rows(shard), MOST))
                for start in {0, 1, len(rows) // 2, len(rows)}:
                    where = difference(rows[start:], list(islice(stream.rows(shard, start), MOST - start)))
                    assert where is None, (
                        f"{self.called} gives other rows of shard {shard} of `{split}` from row {start} on ({where}): "
                        "`rows(shard, start)` must leave out the first `start` rows, and nothing else."
                    )
                size = stream.size(shard)
                assert size is None or size == len(rows) or len(rows) == MOST, (
                    f"{self.called} says that shard {shard} of `{split}` has {size} rows, and it has {len(rows)}: "
                    "return None from `size` where only reading tells."
                )

    def test_an_unknown_split_is_an_error_of_ours(self) -> None:
        """The message is for a user."""
        source = self.source()
        refuses(lambda: source.read("tomorrow"), DataError, f"{self.called} that is asked for the split `tomorrow`")


def _all(rows: Sequence[Example] | Stream) -> Sequence[Example]:
    """Return rows that can be counted: of a stream, the first ones."""
    return list(islice(rows, MOST)) if isinstance(rows, Stream) else rows


def _some(rows: Sequence[Example] | Stream) -> list[Example]:
    """Return the first rows and the last ones, as many as can be compared quickly."""
    if isinstance(rows, Stream):
        return list(islice(rows, 2 * SOME))
    count = len(rows)
    return [rows[index] for index in range(count) if index < SOME or index >= count - SOME]
