from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from data_toys import Answers, Numbers
from torch import Tensor

from mmlm_core.data import (
    BatchLoader,
    Collator,
    Draw,
    Fault,
    OrderedBatches,
    Prepared,
    Row,
    ShuffledBatches,
    collate_examples,
    corpus,
    make_loaders,
)
from mmlm_core.errors import DataError
from mmlm_core.settings import LoaderOptions, OnError
from mmlm_core.types import Batch, Example


def rows(count: int) -> list[Example]:
    return [Example(f"t.csv:{i + 1}", {"image": [i]}, i) for i in range(count)]


def loader_of(
    examples: Sequence[Example], workers: int = 0, epoch: int = 0, start: int = 0, **options: Any
) -> BatchLoader:
    processors = {"image": Numbers()}
    prepared = Prepared(examples, processors, Answers(), **options)
    batches = ShuffledBatches(len(examples), 4, 7, epoch, start)
    return BatchLoader(prepared, Collator(processors, Answers(), 7), batches, workers)


def flat(batches: Iterator[Batch] | BatchLoader) -> list[Any]:
    return [
        (
            batch.targets["answer"].tolist(),
            batch.targets["noise"].tolist(),
            batch.inputs["image"].tensors["noise"].tolist(),
        )
        for batch in batches
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_any_number_of_workers_gives_the_same_batches_in_every_epoch(workers: int) -> None:
    alone, helped = loader_of(rows(11)), loader_of(rows(11), workers)
    for epoch in range(2):
        alone.set_epoch(epoch)
        helped.set_epoch(epoch)
        assert flat(alone) == flat(helped)


def test_a_resumed_loader_gives_the_remaining_batches_augmentation_included() -> None:
    whole = flat(loader_of(rows(23), epoch=3))
    assert flat(loader_of(rows(23), epoch=3, start=2)) == whole[2:]
    stopped = loader_of(rows(23), workers=1, epoch=3)
    given = iter(stopped)
    for _ in range(4):
        next(given)
    state = stopped.state_dict()
    assert state == {"epoch": 3, "batch": 4}
    resumed = loader_of(rows(23))
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    assert len(resumed) == 6
    assert flat(resumed) == whole[4:]


def test_a_state_at_the_end_of_an_epoch_goes_on_with_the_next() -> None:
    done = loader_of(rows(8), epoch=3)
    list(done)
    resumed = loader_of(rows(8))
    resumed.load_state_dict(done.state_dict())
    resumed.set_epoch(4)
    assert flat(resumed) == flat(loader_of(rows(8), epoch=4))


def test_the_noise_of_two_batches_two_epochs_and_two_uses_differs() -> None:
    loaded = loader_of(rows(8))
    noise = [n for _, target, image in flat(loaded) for n in (*target, *image)]
    loaded.set_epoch(1)
    noise += [n for _, target, image in flat(loaded) for n in (*target, *image)]
    assert len(set(noise)) == 32


def test_two_ranks_share_the_rows_and_not_the_noise() -> None:
    processors = {"image": Numbers()}
    seen, noise = [], []
    for rank in range(2):
        batches = ShuffledBatches(9, 2, 7, rank=rank, ranks=2)
        for answers, target, _ in flat(
            BatchLoader(Prepared(rows(9), processors, Answers()), Collator(processors, Answers(), 7), batches)
        ):
            seen += answers
            noise += target
    assert sorted(seen) == list(range(9))
    assert len(set(noise)) == 9


def test_one_item_in_each_row_needs_no_rows() -> None:
    batch = collate_examples(rows(3), {"image": Numbers()}, Answers())
    assert batch.inputs["image"].rows is None
    assert batch.inputs["image"].tensors["value"].tolist() == [[0.0], [1.0], [2.0]]
    assert batch.inputs["image"].tensors["noise"].tolist() == [0.0, 0.0, 0.0]
    assert batch.targets["answer"].tolist() == [0, 1, 2]
    assert batch.size == 3
    assert [example.key for example in batch.examples] == ["t.csv:1", "t.csv:2", "t.csv:3"]


def test_items_know_their_rows_where_rows_have_none_or_several() -> None:
    examples = [
        Example("a", {"image": [1, 2]}),
        Example("b", {}),
        Example("c", {"image": []}),
        Example("d", {"image": [3]}),
    ]
    items = collate_examples(examples, {"image": Numbers()}, None).inputs["image"]
    assert items.rows is not None
    assert items.rows.tolist() == [0, 0, 3]
    assert items.tensors["value"].tolist() == [[1.0], [2.0], [3.0]]


def test_as_many_items_as_rows_but_not_one_each_still_need_rows() -> None:
    examples = [Example("a", {"image": [1, 2]}), Example("b")]
    items = collate_examples(examples, {"image": Numbers()}, None).inputs["image"]
    assert items.rows is not None
    assert items.rows.tolist() == [0, 0]


def test_a_batch_without_an_item_has_a_blank_one_of_no_row() -> None:
    items = collate_examples([Example("a"), Example("b")], {"image": Numbers()}, None).inputs["image"]
    assert items.rows is not None
    assert items.rows.tolist() == [-1]
    assert items.tensors["value"].tolist() == [[-1.0]]


def test_a_modality_that_nobody_reads_is_not_touched() -> None:
    batch = collate_examples([Example("a", {"image": ["broken"], "sound": [1]})], {"sound": Numbers()}, None)
    assert list(batch.inputs) == ["sound"]


def test_prediction_needs_no_target() -> None:
    assert collate_examples([Example("a", {"image": [1]})], {"image": Numbers()}, Answers()).targets == {}


def test_a_row_that_cannot_be_used_raises_with_its_key_in_front() -> None:
    examples = [*rows(2), Example("t.csv:3", {"image": ["broken"]}, 3)]
    plain = r"^`t\.csv:3`: `broken` is no number\."
    expected = plain + r" To leave such rows out: `loader\.on_error=skip`\.$"
    with pytest.raises(DataError, match=expected):
        Prepared(examples, {"image": Numbers()}, Answers())[2]
    with pytest.raises(DataError, match=f"{plain}$"):
        collate_examples(examples, {"image": Numbers()}, Answers())
    for workers in (0, 1):
        with pytest.raises(DataError, match=expected):
            list(loader_of(examples, workers))


def test_a_key_that_the_reason_begins_with_is_told_once() -> None:
    with pytest.raises(DataError, match=r"^`broken` is no number\.$"):
        collate_examples([Example("broken", {"image": ["broken"]})], {"image": Numbers()}, None)


def test_an_error_of_a_plugin_is_not_hidden_but_says_its_row() -> None:
    with pytest.raises(ValueError, match="could not convert") as caught:
        collate_examples([Example("t.csv:1", {"image": ["x"]})], {"image": Numbers()}, None)
    assert caught.value.__notes__ == ["This was in the row `t.csv:1`."]


def test_a_missing_target_raises_where_one_is_needed() -> None:
    prepared = Prepared([Example("t.csv:1", {"image": [1]})], {"image": Numbers()}, Answers(), needs_target=True)
    with pytest.raises(DataError, match=r"^`t\.csv:1`: The row has no target\. To leave such rows out: "):
        prepared[0]


@pytest.mark.parametrize("workers", [0, 2])
def test_skipped_rows_are_left_out_counted_and_logged_once(workers: int, caplog: pytest.LogCaptureFixture) -> None:
    examples = rows(12)
    examples[5] = Example("t.csv:6", {"image": ["broken"]}, 5)
    examples[7] = Example("t.csv:8", {"image": [7]}, "seven")
    loaded = loader_of(examples, workers, on_error=OnError.SKIP, cache_bytes=2**20)
    with caplog.at_level(logging.WARNING):
        for epoch in range(2):
            loaded.set_epoch(epoch)
            answers = [answer for batch in loaded for answer in batch.targets["answer"].tolist()]
            assert sorted(answers) == [0, 1, 2, 3, 4, 6, 8, 9, 10, 11]
    assert loaded.faults == {"t.csv:6": "`broken` is no number.", "t.csv:8": "the target `seven` is no number."}
    assert sorted(caplog.messages) == [
        "Skipped `t.csv:6`: `broken` is no number.",
        "Skipped `t.csv:8`: the target `seven` is no number.",
    ]


def test_a_batch_of_which_nothing_is_left_says_why() -> None:
    rows_ = [Fault("t.csv:1", "it is empty."), Fault("t.csv:2", "it is torn.")]
    with pytest.raises(DataError) as caught:
        Collator({}, None)(rows_)
    assert str(caught.value) == ("None of 2 rows can be used:\n`t.csv:1`: it is empty.\n`t.csv:2`: it is torn.")


def broken(count: int, *usable: int) -> list[Example]:
    return [Example(f"t.csv:{i + 1}", {"image": [i if i in usable else "broken"]}, i) for i in range(count)]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_training_batch_without_usable_rows_takes_the_next_usable_one(workers: int) -> None:
    loaded = loader_of(broken(12, 3, 8), workers, on_error=OnError.SKIP)
    batches = [batch.targets["answer"].tolist() for batch in loaded]
    assert len(batches) == len(loaded) == 3
    assert {answer for batch in batches for answer in batch} == {3, 8}
    assert all(batches)
    assert len(loaded.faults) == 10


@pytest.mark.parametrize("workers", [0, 2])
def test_a_batch_without_usable_rows_is_left_out_of_a_validation(workers: int) -> None:
    processors = {"image": Numbers()}
    prepared = Prepared(broken(12, 3, 8), processors, Answers(), on_error=OnError.SKIP)
    loaded = BatchLoader(prepared, Collator(processors, Answers()), OrderedBatches(12, 2), workers)
    assert [batch.targets["answer"].tolist() for batch in loaded] == [[3], [8]]


@pytest.mark.parametrize("training", [True, False])
def test_a_split_without_usable_rows_says_why_the_first_cannot_be_used(training: bool) -> None:
    processors = {"image": Numbers()}
    prepared = Prepared(broken(12), processors, Answers(), on_error=OnError.SKIP)
    batches = ShuffledBatches(12, 4, 7) if training else OrderedBatches(12, 4)
    loaded = BatchLoader(prepared, Collator(processors, Answers(), 7 if training else None), batches)
    with pytest.raises(DataError) as caught:
        list(loaded)
    lines = str(caught.value).splitlines()
    assert (lines[0], len(lines)) == ("None of 12 rows can be used:", 12)
    assert all(line.endswith(": `broken` is no number.") for line in lines[1:11])
    assert lines[-1] == "and 2 more."


def test_a_kept_row_is_prepared_once_and_others_every_time() -> None:
    for cache, calls in ((2**20, 2), (0, 4)):
        numbers = Numbers()
        prepared = Prepared(rows(2), {"image": numbers}, Answers(), cache)
        for _ in range(2):
            assert [row.targets["answer"].item() for row in prepared if isinstance(row, Row)] == [0, 1]
        assert numbers.calls == calls


def test_the_cache_keeps_to_its_size() -> None:
    numbers = Numbers()
    prepared = Prepared(rows(10), {"image": numbers}, None, 3000, with_examples=False)
    for _ in range(2):
        for index in range(10):
            prepared[index]
    kept = 20 - numbers.calls
    assert 3 <= kept <= 7  # a row is 4 bytes and its objects


def test_prepared_rows_pickle_without_what_they_keep() -> None:
    prepared = Prepared(rows(2), {"image": Numbers()}, Answers(), 2**20)
    before = len(pickle.dumps(prepared))
    prepared[0], prepared[1]
    assert len(pickle.dumps(prepared)) == before
    again = pickle.loads(pickle.dumps(prepared))
    assert again[1].targets["answer"].item() == 1


def test_what_a_spawned_worker_is_sent_gives_the_same_batches() -> None:
    spawned = loader_of(rows(5), 1)
    sent = pickle.loads(pickle.dumps(spawned.dataset))
    drawn = [sent[draw] for draw in ShuffledBatches(5, 4, 7)]
    assert [made.batch.targets["answer"].tolist() for made in drawn] == [
        answers for answers, *_ in flat(loader_of(rows(5)))
    ]


@pytest.mark.parametrize("workers", [0, 1])
def test_loading_draws_nothing_from_the_global_generator(workers: int) -> None:
    before = torch.get_rng_state()
    list(loader_of(rows(5), workers))
    assert torch.equal(before, torch.get_rng_state())


def test_pinning_reaches_every_tensor_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tensor, "pin_memory", lambda tensor: tensor + 100)  # a CPU has no memory to pin
    loaded = loader_of([Example("a", {"image": [1, 2]}, 3), Example("b", {"image": []}, 4)])
    [draw] = loaded.batches
    made = loaded.dataset[draw]
    pinned = made.pin_memory().batch
    for name in ("value", "noise"):
        assert torch.equal(pinned.inputs["image"].tensors[name], made.batch.inputs["image"].tensors[name] + 100)
    assert torch.equal(pinned.inputs["image"].rows, made.batch.inputs["image"].rows + 100)
    assert torch.equal(pinned.targets["answer"], made.batch.targets["answer"] + 100)
    assert [example.key for example in pinned.examples] == [example.key for example in made.batch.examples]


def test_training_batches_may_do_without_their_rows() -> None:
    prepared = Prepared(rows(2), {"image": Numbers()}, Answers(), with_examples=False)
    assert Collator({"image": Numbers()}, Answers(), 1)([prepared[0], prepared[1]], Draw([0, 1])).examples == []


def test_loaders_shuffle_and_augment_training_only() -> None:
    splits = {"train": rows(9), "validation": rows(3)}
    loaders = make_loaders(splits, {"image": Numbers()}, Answers(), LoaderOptions(batch_size=9), seed=1)
    [train], [validation] = list(loaders["train"]), list(loaders["validation"])
    assert train.targets["answer"].tolist() != list(range(9))
    assert sorted(train.targets["answer"].tolist()) == list(range(9))
    assert "noise" in train.targets
    assert train.examples == []
    assert validation.targets["answer"].tolist() == [0, 1, 2]
    assert "noise" not in validation.targets
    assert [example.key for example in validation.examples] == ["t.csv:1", "t.csv:2", "t.csv:3"]


def test_the_corpus_has_every_text_and_nothing_else() -> None:
    examples = [
        Example("a", {"text": ["我爱吃苹果", "b"], "image": ["c.png"]}, "d", "e"),
        Example("b", {"premise": ["f"]}, ["g", "h", 3]),
        Example("c", {}, 4),
    ]
    assert list(corpus(examples)) == ["我爱吃苹果", "b", "e", "d", "g", "h"]
    assert list(corpus(examples, ("premise",))) == ["e", "d", "f", "g", "h"]


def test_items_come_with_the_places_that_their_rows_say() -> None:
    said = Example("a", {"image": [1, 2]}, 0, places={"image": [3, 1]})
    silent = Example("b", {"image": [5]}, 0)
    batch = collate_examples([said, silent], {"image": Numbers()}, Answers())
    assert batch.inputs["image"].places.tolist() == [3, 1, 0]
    assert collate_examples([silent], {"image": Numbers()}, Answers()).inputs["image"].places is None


def test_places_of_more_or_fewer_items_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        collate_examples([Example("a", {"image": [1]}, 0, places={"image": [1, 2]})], {"image": Numbers()}, Answers())
    assert str(caught.value) == "`a`: `places` must have a number for each item of `image`, 1, not 2."


def test_a_processor_may_lay_out_a_row_before_its_items_are_processed() -> None:
    class Reversing(Numbers):
        def lay_out(self, example: Example) -> Example:
            return replace(example, inputs={"image": [*example.inputs["image"]][::-1]})

    batch = collate_examples([Example("a", {"image": [1, 2]}, 0)], {"image": Reversing()}, Answers())
    assert batch.inputs["image"].tensors["value"].flatten().tolist() == [2, 1]
    assert batch.examples[0].inputs == {"image": [1, 2]}
