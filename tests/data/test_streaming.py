"""Streams: every row once an epoch, equally many batches on each rank, and a resume at the very next row."""

from __future__ import annotations

import itertools
import pickle
import random
from collections.abc import Sequence
from typing import Any

import pytest
from data_toys import Answers, Numbered, Numbers

from mmlm_core.data import BatchLoader, Draw, OrderedBatches, StreamedBatches, make_loaders
from mmlm_core.errors import DataError
from mmlm_core.interfaces import Stream
from mmlm_core.settings import LoaderOptions, OnError
from mmlm_core.types import Example

SHARDS = [(1,), (5,), (0, 3), (4, 1, 7), (3, 3, 3, 3), (2, 0, 9, 1), (23,)]


def numbers(draws: Sequence[Draw]) -> list[list[int]]:
    return [[row.target for row in draw.rows] for draw in draws]


@pytest.mark.parametrize("told", [False, True], ids=["sizes unknown", "sizes known"])
@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("shards", SHARDS)
def test_the_ranks_see_every_row_once_in_equally_many_batches_none_empty(
    shards: Sequence[int], size: int, ranks: int, told: bool
) -> None:
    if sum(shards) < ranks:
        pytest.skip("fewer rows than ranks")
    wanted = sorted(100 * shard + row for shard, count in enumerate(shards) for row in range(count))
    drawn = [
        numbers(list(StreamedBatches(Numbered(shards, told), size, seed, block=3, rank=rank, ranks=ranks)))
        for seed in (None, 7)
        for rank in range(ranks)
    ]
    for epoch in (drawn[:ranks], drawn[ranks:]):
        assert sorted(row for draws in epoch for draw in draws for row in draw) == wanted
        assert len({len(draws) for draws in epoch}) == 1
        assert all(draw for draws in epoch for draw in draws)
        assert len(epoch[0]) == len(OrderedBatches(sum(shards), size, 0, ranks))


@pytest.mark.parametrize("told", [False, True], ids=["sizes unknown", "sizes known"])
@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("block", [1, 3, 8, 100])
def test_a_resume_behind_any_batch_goes_on_with_the_very_next_row(block: int, ranks: int, told: bool) -> None:
    def plan(rank: int) -> StreamedBatches:
        return StreamedBatches(Numbered([4, 1, 7, 0, 11], told), 3, 7, block=block, rank=rank, ranks=ranks)

    wholes = [plan(rank) for rank in range(ranks)]
    for whole in wholes:
        whole.set_epoch(2)
    draws = [list(whole) for whole in wholes]
    for number, first in enumerate(draws[0]):
        for rank in range(ranks):  # a checkpoint has the first rank's state
            resumed = plan(rank)
            resumed.load_state_dict(first.after or {})
            rest = draws[rank][number + 1 :]
            if not rest:
                assert resumed.epoch == 3
                wholes[rank].set_epoch(3)
                rest = list(wholes[rank])
            assert [(draw.batch, draw.rows) for draw in resumed] == [(draw.batch, draw.rows) for draw in rest]
            wholes[rank].set_epoch(2)


def test_a_resume_reads_from_its_block_on_and_not_from_the_beginning() -> None:
    whole = StreamedBatches(Numbered([100, 100]), 5, None)
    draws = list(whole)
    assert draws[29].after is not None
    stream = Numbered([100, 100])
    resumed = StreamedBatches(stream, 5, None)
    resumed.load_state_dict(draws[29].after)
    next(iter(resumed))
    assert stream.opened == [(1, 45)]  # a batch more, in case that it is one of the last


def test_where_sizes_are_known_a_rank_opens_the_shards_of_its_share_alone() -> None:
    stream = Numbered([4, 4, 4, 4], told=True)
    draws = list(StreamedBatches(stream, 4, None, rank=1, ranks=2))
    assert stream.opened == [(2, 0), (3, 0)]
    assert numbers(draws) == [[200, 201, 202, 203], [300, 301, 302, 303]]


def test_epochs_draw_shards_and_rows_in_other_orders_and_validation_in_none() -> None:
    plan = StreamedBatches(Numbered([10] * 10), 10, 7, block=20)
    epochs = []
    for epoch in range(3):
        plan.set_epoch(epoch)
        epochs.append(numbers(list(plan)))
    assert all(one != other for one, other in itertools.combinations(epochs, 2))
    first = [row for draw in epochs[0][:2] for row in draw]
    assert len({row // 100 for row in first}) == 2  # a block of 20 rows is two whole shards, mixed
    assert len({row // 100 for row in epochs[0][0]}) == 2
    ordered = numbers(list(StreamedBatches(Numbered([3, 2]), 2)))
    assert ordered == [[0, 1], [2, 100], [101]]


def test_its_length_is_known_where_the_sizes_are() -> None:
    assert len(StreamedBatches(Numbered([3, 4], told=True), 2)) == 4
    with pytest.raises(TypeError, match=r"^The rows of this stream are not counted\.$"):
        len(StreamedBatches(Numbered([3, 4]), 2))


def test_a_shard_that_cannot_be_read_is_told_with_what_helps() -> None:
    with pytest.raises(DataError, match=r"^`numbers-1\.tar` is cut off\. To leave the rest of such shards out: "
                                        r"`loader\.on_error=skip`\.$"):  # fmt: skip
        list(StreamedBatches(Numbered([3, 4], torn=1), 2))


@pytest.mark.parametrize("told", [False, True], ids=["sizes unknown", "sizes known"])
def test_the_rest_of_a_torn_shard_is_left_out_and_the_ranks_stay_in_step(told: bool) -> None:
    loaders = [loader_of(Numbered([3, 8, 3], told, torn=1), rank=rank, ranks=2, on_error=OnError.SKIP)
               for rank in range(2)]  # fmt: skip
    answers = [[batch.targets["answer"].tolist() for batch in loader] for loader in loaders]
    assert len({len(batches) for batches in answers}) == 1
    seen = sorted(row for batches in answers for batch in batches for row in batch)
    assert set(seen) == {0, 1, 2, 100, 200, 201, 202}
    faults = {key: reason for loader in loaders for key, reason in loader.faults.items()}
    assert faults == {"shard 2": "`numbers-1.tar` is cut off."}


def test_a_size_that_is_wrong_is_told() -> None:
    stream = Numbered([3, 4], told=True)
    stream.size = lambda shard: 5 if shard else 3  # type: ignore[method-assign]
    with pytest.raises(DataError, match=r"^Shard 2 says that it has 5 rows, and gives 4\.$"):
        list(StreamedBatches(stream, 2))


@pytest.mark.parametrize("shards", [[0], [1]])
def test_fewer_rows_than_ranks_are_told(shards: list[int]) -> None:
    with pytest.raises(DataError, match=rf"^{shards[0]} rows do not make a batch on each of 2 ranks: 2 are the least"):
        list(StreamedBatches(Numbered(shards), 2, ranks=2))


def loader_of(stream: Stream, workers: int = 0, rank: int = 0, ranks: int = 1, **options: Any) -> BatchLoader:
    settings = LoaderOptions(batch_size=4, workers=workers, shuffle_rows=6, **options)
    return make_loaders({"train": stream}, {"image": Numbers()}, Answers(), settings, 7, rank=rank, ranks=ranks)[
        "train"
    ]


def flat(loader: BatchLoader) -> list[Any]:
    return [(batch.targets["answer"].tolist(), batch.targets["noise"].tolist()) for batch in loader]


@pytest.mark.filterwarnings("ignore:This DataLoader will create 3 worker processes")
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_number_of_workers_gives_the_same_batches_in_every_epoch(workers: int) -> None:
    alone, helped = loader_of(Numbered([5, 8, 4])), loader_of(Numbered([5, 8, 4]), workers)
    for epoch in range(2):
        alone.set_epoch(epoch)
        helped.set_epoch(epoch)
        batches = flat(alone)
        assert flat(helped) == batches
        assert sorted(row for answers, _ in batches for row in answers) == [
            *range(5),
            *range(100, 108),
            *range(200, 204),
        ]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_batch_of_unknown_length_counts_as_trained_on_once_the_next_one_is_asked_for(workers: int) -> None:
    whole = flat(loader_of(Numbered([5, 8, 4])))
    loader = loader_of(Numbered([5, 8, 4]), workers)
    given = iter(loader)
    for _ in range(3):  # Lightning trains on the second and has fetched the third
        next(given)
    resumed = loader_of(Numbered([5, 8, 4]))
    resumed.load_state_dict(loader.state_dict())
    assert flat(resumed) == whole[2:]


def test_a_known_length_counts_a_batch_as_it_is_handed_out() -> None:
    whole = flat(loader_of(Numbered([5, 8, 4], told=True)))
    loader = loader_of(Numbered([5, 8, 4], told=True))
    assert len(loader) == 5
    given = iter(loader)
    for _ in range(3):
        next(given)
    resumed = loader_of(Numbered([5, 8, 4], told=True))
    resumed.load_state_dict(loader.state_dict())
    assert flat(resumed) == whole[3:]


def test_a_training_batch_without_usable_rows_takes_a_usable_one_of_the_stream() -> None:
    class Broken(Numbered):
        def rows(self, shard: int, start: int = 0) -> Any:
            for row in super().rows(shard, start):
                yield row if row.target == 101 else Example(row.key, {"image": ["broken"]}, row.target)

    answers = [batch.targets["answer"].tolist() for batch in loader_of(Broken([5, 8, 4]), on_error=OnError.SKIP)]
    assert len(answers) == 5
    assert {row for batch in answers for row in batch} == {101}


def test_a_plan_pickles_and_random_streams_agree_with_the_map_style_plan_in_their_sizes() -> None:
    random.seed(3)
    for _ in range(50):
        shards = [random.randrange(9) for _ in range(random.randrange(1, 6))]
        ranks, size = random.randrange(1, 4), random.randrange(1, 6)
        if sum(shards) < ranks:
            continue
        for rank in range(ranks):
            plan = pickle.loads(pickle.dumps(StreamedBatches(Numbered(shards), size, rank=rank, ranks=ranks)))
            wanted = [len(draw.rows) for draw in OrderedBatches(sum(shards), size, rank, ranks)]
            assert [len(draw.rows) for draw in plan] == wanted
