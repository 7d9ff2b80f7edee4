from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import pytest

from mmlm_core.data.readable import readable, targets_of
from mmlm_core.errors import DataError
from mmlm_core.interfaces import Stream
from mmlm_core.settings import OnError
from mmlm_core.types import Example


class Broken(Sequence[Example]):
    """Five rows, of which the second cannot be read."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, place: Any) -> Any:
        if place == 1:
            raise DataError("`a.jsonl` line 2 is no JSON.")
        return Example(str(place))


class CutOff(Stream):
    """Two shards, of which the first is cut off after a row."""

    shards = 2

    def rows(self, shard: int, start: int = 0) -> Iterator[Example]:
        for row in range(start, 3):
            if shard == 0 and row == 1:
                raise DataError("`0.tar` is cut off.")
            yield Example(f"{shard}/{row}")


def test_a_row_that_cannot_be_read_is_passed_over() -> None:
    assert [row.key for row in readable(Broken(), OnError.SKIP)] == ["0", "2", "3", "4"]
    assert [row.key for row in readable(Broken(), OnError.SKIP, [4, 1, 0])] == ["4", "0"]


def test_of_a_shard_that_is_cut_off_the_rows_before_are_given() -> None:
    assert [row.key for row in readable(CutOff(), OnError.SKIP)] == ["0/0", "1/0", "1/1", "1/2"]


@pytest.mark.parametrize("rows", [Broken(), CutOff()])
def test_a_row_that_cannot_be_read_stops_where_rows_are_not_skipped(rows: Any) -> None:
    given = readable(rows, OnError.RAISE)
    assert len(list(islice(given, 1))) == 1
    with pytest.raises(DataError, match=r"\. To leave such rows out: `loader\.on_error=skip`\.$"):
        next(given)


class Quick(Broken):
    """The same rows, whose targets are known by themselves up to the broken one."""

    def targets(self) -> Iterator[Any]:
        yield "quick"
        raise DataError("`a.jsonl` is damaged.")


def test_targets_come_by_the_fast_way_as_far_as_it_goes() -> None:
    assert list(targets_of(Quick(), OnError.SKIP)) == ["quick", None, None, None]
    with pytest.raises(DataError, match=r"is damaged\. To leave such rows out"):
        list(targets_of(Quick(), OnError.RAISE))
    assert list(targets_of(Broken(), OnError.SKIP)) == [None] * 4
    assert list(targets_of(CutOff(), OnError.SKIP)) == [None] * 4
