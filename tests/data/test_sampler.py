from __future__ import annotations

import pickle

import pytest

from mmlm_core.data import OrderedBatches, ShuffledBatches
from mmlm_core.data.sampler import mixed_seed
from mmlm_core.errors import DataError, OptionError

SIZES = [(1, 1), (5, 2), (7, 3), (8, 4), (23, 4), (24, 4), (100, 7)]


@pytest.mark.parametrize(("rows", "size"), SIZES)
def test_one_rank_sees_every_row_once_in_full_batches_and_a_last_smaller_one(rows: int, size: int) -> None:
    draws = list(ShuffledBatches(rows, size, seed=1))
    assert sorted(row for draw in draws for row in draw.rows) == list(range(rows))
    assert [len(draw.rows) for draw in draws[:-1]] == [size] * (len(draws) - 1)
    assert 1 <= len(draws[-1].rows) <= size


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 4, 5])
@pytest.mark.parametrize("rows", range(3, 24))
def test_the_ranks_see_every_row_once_in_equally_many_batches_none_empty(rows: int, size: int, ranks: int) -> None:
    plans = [ShuffledBatches(rows, size, seed=1, rank=rank, ranks=ranks) for rank in range(ranks)]
    drawn = [list(plan) for plan in plans]
    assert sorted(row for draws in drawn for draw in draws for row in draw.rows) == list(range(rows))
    assert len({len(draws) for draws in drawn}) == 1
    assert all(len(draws) == len(plan) for draws, plan in zip(drawn, plans, strict=True))
    assert all(draw.rows for draws in drawn for draw in draws)


def test_drop_last_leaves_full_batches_only() -> None:
    drawn = [list(ShuffledBatches(23, 4, seed=1, rank=rank, ranks=2, drop_last=True)) for rank in range(2)]
    assert [[len(draw.rows) for draw in draws] for draws in drawn] == [[4, 4], [4, 4]]
    assert len({row for draws in drawn for draw in draws for row in draw.rows}) == 16


def test_the_order_follows_from_seed_and_epoch_alone() -> None:
    plan = ShuffledBatches(50, 8, seed=3)
    first = list(plan)
    assert list(plan) == first == list(ShuffledBatches(50, 8, seed=3))
    plan.set_epoch(1)
    second = list(plan)
    assert second != first
    assert second == list(ShuffledBatches(50, 8, seed=3, epoch=1))
    assert [draw.rows for draw in list(ShuffledBatches(50, 8, seed=4))] != [draw.rows for draw in first]


def test_a_start_gives_the_remaining_batches_once_and_the_length_stays_that_of_the_epoch() -> None:
    whole = list(ShuffledBatches(23, 4, seed=3, epoch=2))
    plan = ShuffledBatches(23, 4, seed=3, epoch=2, start=4)
    assert len(plan) == 6
    assert list(plan) == whole[4:]
    assert list(plan) == whole


def test_the_same_epoch_keeps_the_start_and_another_begins_anew() -> None:
    plan = ShuffledBatches(23, 4, seed=3, epoch=2, start=4)
    plan.set_epoch(2)
    assert plan.start == 4
    plan.set_epoch(3)
    assert plan.start == 0


def test_ordered_batches_keep_the_order_and_deal_the_rows_in_turn() -> None:
    assert [draw.rows for draw in OrderedBatches(5, 2)] == [[0, 1], [2, 3], [4]]
    assert [draw.rows for draw in OrderedBatches(5, 2, rank=1, ranks=2)] == [[1], [3]]


def test_a_plan_pickles() -> None:
    plan = ShuffledBatches(9, 2, seed=1, epoch=1, start=2)
    assert list(pickle.loads(pickle.dumps(plan))) == list(plan)


def test_too_few_rows_say_how_many_are_needed() -> None:
    with pytest.raises(DataError, match=r"^1 rows do not make a batch on each of 2 ranks: 2 are the least\.$"):
        ShuffledBatches(1, 4, seed=1, ranks=2)
    with pytest.raises(DataError, match=r"^0 rows do not make a batch on each of 1 ranks: 1 are the least\.$"):
        OrderedBatches(0, 4)
    with pytest.raises(DataError, match=r"^7 rows do not make a batch on each of 2 ranks: 8 are the least\.$"):
        ShuffledBatches(7, 4, seed=1, ranks=2, drop_last=True)
    with pytest.raises(OptionError, match=r"^`batch_size` must be at least 1, not 0\.$"):
        ShuffledBatches(7, 0, seed=1)
    with pytest.raises(OptionError, match=r"^`rank` must be from 0 to 1, not 2\.$"):
        ShuffledBatches(7, 1, seed=1, rank=2, ranks=2)


def test_mixed_seeds_differ_in_every_part_and_are_no_negative_numbers() -> None:
    seeds = {mixed_seed(seed, use, epoch) for seed in range(20) for use in ("a", "b") for epoch in range(20)}
    assert len(seeds) == 800
    assert all(0 <= seed < 2**63 for seed in seeds)
