"""Joining and arranging, with numbers that say where they come from: item 20 holds 20, then 21."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from mmlm_core.types import Features, Joined, arrange, join


def column(*rows: list[float]) -> Tensor:
    """Return vectors of width 1. Shape: [B, T, 1]."""
    return torch.tensor(rows, dtype=torch.float32).unsqueeze(-1)


def part(rows: list[list[float]], lengths: list[int] | None = None) -> Features:
    mask = None if lengths is None else torch.arange(len(rows[0])) < torch.tensor(lengths).unsqueeze(1)
    return Features(column(*rows), mask)


def valid(features: Features) -> list[list[float]]:
    """Return what stands at each row's valid positions."""
    return [row[mask].tolist() for row, mask in zip(features.values[..., 0], features.valid, strict=True)]


def padding_trails(joined: Joined) -> bool:
    return bool((joined.features.valid.int().diff(dim=1) <= 0).all())


def read(joined: Joined) -> dict[str, list[list[float]]]:
    """Return what each segment reads of the sequence itself, plus 100."""
    return {name: valid(features) for name, features in joined.read(joined.features.values + 100).items()}


def test_parts_without_masks_stand_side_by_side_and_need_no_mask():
    joined = join({"image": part([[1, 2], [3, 4]]), "queries": part([[7], [8]])})
    assert valid(joined.features) == [[1, 2, 7], [3, 4, 8]]
    assert joined.features.mask is None
    assert [joined.segments[name].index for name in ("image", "queries")] == [slice(0, 2), slice(2, 3)]
    assert read(joined) == {"image": [[101, 102], [103, 104]], "queries": [[107], [108]]}


def test_a_single_part_is_not_copied():
    text = part([[1, 2], [3, 0]], [2, 1])
    joined = join({"text": text})
    assert joined.features.values is text.values and joined.features.mask.equal(text.mask)


def test_ragged_text_before_queries_leaves_no_padding_between():
    joined = join({"text": part([[1, 2, 3], [4, 0, 0], [0, 0, 0]], [3, 1, 0]), "queries": part([[7, 8]] * 3)})
    assert valid(joined.features) == [[1, 2, 3, 7, 8], [4, 7, 8], [7, 8]]
    assert padding_trails(joined)
    assert read(joined) == {"text": [[101, 102, 103], [104], []], "queries": [[107, 108]] * 3}


def test_ragged_queries_behind_full_inputs_stay_where_they_are():
    joined = join({"image": part([[1, 2], [3, 4]]), "queries": part([[7, 8], [9, 0]], [2, 1])})
    assert joined.features.valid.tolist() == [[True, True, True, True], [True, True, True, False]]
    assert joined.segments["queries"].index == slice(2, 4)
    assert read(joined)["queries"] == [[107, 108], [109]]


def test_three_ragged_parts_keep_their_order_in_each_row():
    joined = join(
        {
            "image": part([[1, 2], [0, 0], [3, 0]], [2, 0, 1]),
            "text": part([[4, 0], [5, 6], [0, 0]], [1, 2, 0]),
            "queries": part([[7, 8], [9, 0], [0, 0]], [2, 1, 0]),
        }
    )
    assert valid(joined.features) == [[1, 2, 4, 7, 8], [5, 6, 9], [3]]
    assert padding_trails(joined)
    assert read(joined) == {
        "image": [[101, 102], [], [103]],
        "text": [[104], [105, 106], []],
        "queries": [[107, 108], [109], []],
    }


def test_padding_a_part_further_moves_no_valid_position():
    queries = part([[7], [8]])
    narrow = join({"text": part([[1, 2], [3, 0]], [2, 1]), "queries": queries})
    wide = join({"text": part([[1, 2, 9, 9], [3, 9, 9, 9]], [2, 1]), "queries": queries})
    assert valid(narrow.features) == valid(wide.features) == [[1, 2, 7], [3, 8]]
    assert read(narrow) == read(wide)


def test_a_segment_keeps_its_grid_and_rate_when_it_is_read():
    image = Features(column([1, 2, 3, 4]), grid=(2, 2))
    sound = Features(column([5, 0]), torch.tensor([[True, False]]), rate=50.0)
    segments = join({"image": image, "sound": sound, "queries": part([[7]])}).read(torch.zeros(1, 7, 1))
    assert segments["image"].grid == (2, 2) and segments["sound"].rate == 50.0 and segments["queries"].grid is None


def test_documents_move_with_their_positions():
    text = part([[1, 2], [3, 0]], [2, 1])
    queries = Features(column([7, 8], [9, 10]), documents=torch.tensor([[0, 1], [0, 1]]))
    joined = join({"text": text, "queries": queries})
    assert [d[m].tolist() for d, m in zip(joined.features.documents, joined.features.valid, strict=True)] == [
        [0, 0, 0, 1],
        [0, 0, 1],
    ]


def test_a_gradient_finds_its_way_back_through_a_compacted_sequence():
    values = column([1, 2], [3, 0]).requires_grad_()
    joined = join({"text": Features(values, torch.tensor([[True, True], [True, False]])), "queries": part([[7], [8]])})
    weights = torch.tensor([[1.0, 10.0, 100.0], [1.0, 10.0, 0.0]]).unsqueeze(-1)
    (joined.features.values * weights).sum().backward()
    assert values.grad[..., 0].tolist() == [[1, 10], [1, 0]]


def test_one_item_a_row_is_left_as_it_is():
    features = part([[1, 2], [3, 4]])
    assert arrange(features, None, 2) is features


def test_items_come_to_their_rows_in_order():
    items = part([[10, 11], [20, 21], [30, 31]])
    arranged = arrange(items, torch.tensor([0, 2, 2]), 4)
    assert valid(arranged) == [[10, 11], [], [20, 21, 30, 31], []]
    assert arranged.items.tolist() == [[0, 0, 1, 1]] * 4


def test_tokens_come_to_their_rows_with_their_positions():
    items = replace(part([[10, 11], [20, 21], [30, 31]]), ids=torch.tensor([[1, 2], [3, 4], [5, 6]]))
    assert arrange(items, torch.tensor([0, 2, 2]), 4).ids.tolist() == [[1, 2, 0, 0], [0] * 4, [3, 4, 5, 6], [0] * 4]
    joined = join({"text": arrange(items, torch.tensor([0, 2, 2]), 4), "queries": part([[7], [8], [9], [7]])})
    assert joined.read(joined.features.values)["text"].ids.tolist()[2] == [3, 4, 5, 6]


def test_single_items_keep_their_grid_and_several_do_not():
    items = Features(column([10, 11], [20, 21]), grid=(1, 2), rate=50.0)
    apart, together = arrange(items, torch.tensor([0, 2]), 3), arrange(items, torch.tensor([1, 1]), 3)
    assert (apart.grid, apart.items, apart.rate) == ((1, 2), None, 50.0)
    assert (together.grid, together.rate) == (None, 50.0)


def test_a_blank_item_belongs_to_no_row_and_stays_in_the_graph():
    values = column([10, 11]).requires_grad_()
    arranged = arrange(Features(values), torch.tensor([-1]), 2)
    assert valid(arranged) == [[], []]
    arranged.values.sum().backward()
    assert values.grad.eq(0).all()


def test_blank_items_stand_beside_real_ones():
    arranged = arrange(part([[1, 1], [2, 2], [30, 31]]), torch.tensor([-1, -1, 1]), 2)
    assert valid(arranged) == [[], [30, 31]]
    assert arranged.values.shape == (2, 2, 1)


def test_ragged_items_of_one_row_leave_no_padding_between_once_joined():
    arranged = arrange(part([[10, 0], [20, 21], [30, 0]], [1, 2, 1]), torch.tensor([0, 0, 1]), 2)
    assert valid(arranged) == [[10, 20, 21], [30]]
    for parts in (
        {"text": arranged},
        {"image": part([[1], [2]]), "text": arranged},
        {"text": arranged, "queries": part([[7], [8]])},
    ):
        joined = join(parts)
        assert padding_trails(joined)
        assert read(joined)["text"] == [[110, 120, 121], [130]]


@pytest.mark.parametrize("seed", range(5))
def test_join_equals_a_loop_over_rows(seed):
    generator = torch.Generator().manual_seed(seed)
    parts = {
        name: Features(torch.rand(4, length, 1, generator=generator), torch.rand(4, length, generator=generator) < 0.6)
        for name, length in (("a", 3), ("b", 5), ("c", 2))
    }
    joined = join({**parts, "queries": Features(torch.rand(4, 2, 1, generator=generator))})
    parts["queries"] = joined.segments["queries"].like
    for row in range(4):
        expected = [v for part in parts.values() for v in part.values[row, :, 0][part.valid[row]].tolist()]
        assert valid(joined.features)[row] == expected
    assert padding_trails(joined)
    for name, features in joined.read(joined.features.values).items():
        assert valid(features) == valid(parts[name])


def test_the_places_of_items_come_to_the_rows_with_them():
    items = part([[10, 11], [20, 21], [30, 31]])
    arranged = arrange(items, torch.tensor([0, 2, 2]), 3, torch.tensor([4, 1, 3]))
    assert arranged.places[0].tolist()[:2] == [4, 4] and arranged.places[2].tolist() == [1, 1, 3, 3]
    assert arrange(items, None, 3, torch.tensor([4, 1, 3])).places.tolist() == [[4, 4], [1, 1], [3, 3]]


def test_items_with_places_stand_there_and_the_queries_behind_them():
    text = arrange(part([[1, 2], [3, 0], [4, 5]], [2, 1, 2]), torch.tensor([0, 0, 1]), 2, torch.tensor([0, 2, 0]))
    image = arrange(part([[70, 71]]), torch.tensor([0]), 2, torch.tensor([1]))
    joined = join({"image": image, "text": text, "queries": part([[9], [9]])})
    assert valid(joined.features) == [[1, 2, 70, 71, 3, 9], [4, 5, 9]]
    assert padding_trails(joined)
    assert read(joined) == {
        "image": [[170, 171], []],
        "text": [[101, 102, 103], [104, 105]],
        "queries": [[109], [109]],
    }
