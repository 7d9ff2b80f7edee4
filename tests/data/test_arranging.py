"""Rows arranged before they are cut into batches: by length, and by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from data_toys import Answers, Numbered, Numbers

from mmlm_core.data import Mixture, ShuffledBatches, StreamedBatches, make_loaders
from mmlm_core.data.arranging import alike, drawn, in_runs
from mmlm_core.errors import DataError, OptionError
from mmlm_core.settings import LoaderOptions
from mmlm_core.types import Example


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn_lengths(rows: int) -> list[int]:
    """Lengths as texts have them: many short ones, few long ones, those cut to 256."""
    return [int(length) for length in torch.empty(rows).log_normal_(4, 1, generator=seeded()).add(1).clamp(max=256)]


def filled(batches: list[list[int]], length: Callable[[int], int]) -> float:
    """Return the share of the positions of padded batches that are no padding."""
    used = sum(length(row) for batch in batches for row in batch)
    return used / sum(len(batch) * max(map(length, batch)) for batch in batches)


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("rows", [40, 401, 2049, 3333])
def test_buckets_keep_every_row_once_and_as_many_batches_on_each_rank(rows: int, ranks: int) -> None:
    lengths = drawn_lengths(rows)
    plans = [ShuffledBatches(rows, 8, 7, rank=rank, ranks=ranks, lengths=lambda some: [lengths[i] for i in some])
             for rank in range(ranks)]  # fmt: skip
    dealt = [list(plan) for plan in plans]
    assert sorted(row for draws in dealt for draw in draws for row in draw.rows) == list(range(rows))
    assert {len(draws) for draws in dealt} == {len(plans[0])}
    sizes = [sorted(len(draw.rows) for draw in draws) for draws in dealt]
    plain = [sorted(len(draw.rows) for draw in ShuffledBatches(rows, 8, 7, rank=rank, ranks=ranks))
             for rank in range(ranks)]  # fmt: skip
    assert sizes == plain
    assert [draw.batch for draw in dealt[0]] == list(range(len(plans[0])))


def test_batches_of_buckets_have_little_padding_and_random_ones_much() -> None:
    lengths = drawn_lengths(4000)
    plans = [
        ShuffledBatches(4000, 16, 7),
        ShuffledBatches(4000, 16, 7, lengths=lambda some: [lengths[i] for i in some]),
    ]
    random, bucketed = (filled([list(draw.rows) for draw in plan], lengths.__getitem__) for plan in plans)
    assert random < 0.4
    assert bucketed > 0.9


def test_the_ranks_have_like_lengths_at_each_step() -> None:
    lengths = drawn_lengths(1600)
    plans = [ShuffledBatches(1600, 16, 7, rank=rank, ranks=2, lengths=lambda some: [lengths[i] for i in some])
             for rank in range(2)]  # fmt: skip
    steps = [[list(draw.rows) for draw in pair] for pair in zip(*plans, strict=True)]
    assert all(max(lengths[row] for row in one) <= 4 * max(lengths[row] for row in other) for one, other in steps)
    assert filled([rows for pair in steps for rows in pair], lengths.__getitem__) > 0.9


def test_buckets_follow_from_seed_and_epoch_and_resume_behind_any_batch() -> None:
    lengths = drawn_lengths(1000)
    plan = ShuffledBatches(1000, 4, 7, lengths=lambda some: [lengths[i] for i in some])
    whole = list(plan)
    for place in (1, 99, 100, 120, 249):
        plan.load_state_dict({"epoch": 0, "batch": place})
        assert list(plan) == whole[place:]
    plan.set_epoch(1)
    assert [draw.rows for draw in plan] != [draw.rows for draw in whole]


def test_short_and_long_batches_take_turns() -> None:
    lengths = drawn_lengths(800)
    longest = [max(lengths[row] for row in draw.rows)
               for draw in ShuffledBatches(800, 8, 7, lengths=lambda some: [lengths[i] for i in some])]  # fmt: skip
    rising = sum(a < b for a, b in pairwise(longest))
    assert 0.3 < rising / len(longest) < 0.7


@pytest.mark.parametrize("block", [7, 64, 100])
def test_a_stream_is_bucketed_within_its_blocks_and_resumes_exactly(block: int) -> None:
    lengths = drawn_lengths(1000)

    def plan() -> StreamedBatches:
        return StreamedBatches(Numbered([100] * 10), 8, 7, block=block, length=lambda row: lengths[row.target])

    whole = list(plan())
    assert sorted(row.target for draw in whole for row in draw.rows) == list(range(1000))
    for place in (0, 5, 12, 13, 60):
        resumed = plan()
        resumed.load_state_dict(whole[place].after or {})
        assert list(resumed) == whole[place + 1 :]
    share = filled([[row.target for row in draw.rows] for draw in whole], lengths.__getitem__)
    assert share > {7: 0.3, 64: 0.7, 100: 0.75}[block]


def test_runs_hold_neighbours_by_length_and_what_is_over_is_short() -> None:
    order = in_runs([5, 1, 4, 2, 9, 8, 7, 3], size=3, first=1, generator=seeded())
    assert sorted(order) == list(range(8))
    lengths = [[5, 1, 4, 2, 9, 8, 7, 3][row] for row in order]
    assert lengths[0] == 1
    assert lengths[-1] == 2
    assert sorted([lengths[1:4], lengths[4:7]]) == [[3, 4, 5], [7, 8, 9]]


def test_balanced_rows_have_each_class_as_often_and_none_more_than_once_more() -> None:
    classes = torch.tensor([0] * 90 + [1] * 9 + [2])
    rows = drawn(classes, alike(classes, 1.0), seeded())
    assert torch.bincount(classes[rows]).tolist() == [34, 33, 33]
    times = Counter(rows.tolist())
    assert max(times[row] for row in range(90)) == 1
    assert {times[row] for row in range(90, 99)} == {3, 4}
    assert times[99] == 33


def test_a_balance_of_none_is_each_row_once_and_half_is_between() -> None:
    classes = torch.tensor([0] * 64 + [1] * 36)
    assert sorted(drawn(classes, alike(classes, 0.0), seeded()).tolist()) == list(range(100))
    assert torch.bincount(classes[drawn(classes, alike(classes, 0.5), seeded())]).tolist() == [57, 43]  # as 8 to 6


def test_balanced_batches_come_from_the_labels_and_in_training_alone() -> None:
    examples = [Example(str(i), {"image": [i]}, 0 if i < 18 else 1) for i in range(20)]
    loaders = make_loaders({"train": examples, "validation": examples}, {"image": Numbers()}, Answers(),
                           LoaderOptions(batch_size=20, balance=1.0), 7)  # fmt: skip
    [train], [validation] = list(loaders["train"]), list(loaders["validation"])
    assert torch.bincount(train.targets["answer"]).tolist() == [10, 10]
    assert torch.bincount(validation.targets["answer"]).tolist() == [18, 2]


def test_balance_needs_labels_that_can_be_counted() -> None:
    options = LoaderOptions(balance=1.0)
    with pytest.raises(
        DataError, match=r"^`a`: The target must be a label, not \['b'\], since `loader\.balance` draws"
    ):
        make_loaders({"train": [Example("a", {}, ["b"])]}, {}, Answers(), options, 7)
    with pytest.raises(
        OptionError, match=r"^`loader\.balance` must be 0 where the rows of `train` are streamed: their"
    ):
        make_loaders({"train": Numbered([3])}, {}, Answers(), options, 7)


def test_rows_of_a_mixture_come_as_often_as_their_sources_weigh() -> None:
    sources = {name: [Example(str(i), {"image": [i]}, number) for i in range(rows)]
               for number, (name, rows) in enumerate({"web": 30, "books": 10}.items())}  # fmt: skip
    mixed = Mixture(sources, {"web": 1.0, "books": 3.0})
    assert (len(mixed), mixed[0].key, mixed[30].key, mixed[-1].group) == (40, "web/0", "books/0", "books")
    loaders = make_loaders({"train": mixed, "test": mixed}, {"image": Numbers()}, Answers(), LoaderOptions(40), 7)
    [train], [test] = list(loaders["train"]), list(loaders["test"])
    assert torch.bincount(train.targets["answer"]).tolist() == [20, 20]
    assert torch.bincount(test.targets["answer"]).tolist() == [30, 10]
    even = make_loaders({"train": Mixture(sources, {"web": 1.0, "books": 1.0})}, {"image": Numbers()}, Answers(),
                        LoaderOptions(40), 7)  # fmt: skip
    assert torch.bincount(next(iter(even["train"])).targets["answer"]).tolist() == [30, 10]
    with pytest.raises(OptionError, match=r"^`loader\.balance` must be 0 where the sources of `data` have weights"):
        make_loaders({"train": mixed}, {"image": Numbers()}, Answers(), LoaderOptions(balance=1.0), 7)
