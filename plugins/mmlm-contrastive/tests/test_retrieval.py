import itertools

import pytest
import torch

from mmlm_contrastive.contrastive import Contrastive
from mmlm_contrastive.options import ContrastiveOptions
from mmlm_contrastive.retrieval import chance, ranks


def head():
    return Contrastive(ContrastiveOptions(width=2), width=4, modalities=("image", "text"), facts={})


def row(image, text, picture, words):
    return {
        "prediction": 0.0,
        "embeddings": {"image": image, "text": text},
        "digests": {"image": picture, "text": words},
    }


def test_the_rank_is_that_of_the_best_right_answer():
    queries = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    candidates = torch.tensor([[0.9, 0.0], [0.5, 0.0], [0.6, 0.1]])
    assert ranks(queries, ["a", "b", "c"], candidates, ["x", "y", "z"]) == ([1, 3, 1], 1.0)


def test_where_rows_share_a_text_any_of_their_pictures_counts():
    texts = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    pictures = torch.tensor([[0.1, 0.0], [0.9, 0.0], [0.0, 1.0]])
    found, right = ranks(texts, ["cat", "cat", "dog"], pictures, ["1", "2", "3"])
    assert found == [1, 1, 1] and right == pytest.approx(5 / 3)


def test_equal_candidates_stand_in_the_way_once():
    pictures = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    texts = torch.tensor([[0.9, 0.0], [0.9, 0.0], [0.95, 0.5]])
    assert ranks(pictures, ["1", "2", "3"], texts, ["cat", "cat", "dog"])[0] == [2, 2, 1]


def test_a_model_that_says_the_same_of_everything_finds_nothing():
    same = torch.ones(20, 2)
    names = [str(number) for number in range(20)]
    assert ranks(same, names, same, names)[0] == [20] * 20


def test_ranks_do_not_depend_on_how_many_rows_are_ranked_at_once(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    queries, candidates = torch.randn(7, 3, generator=generator), torch.randn(7, 3, generator=generator)
    names = list("abcdefg")
    whole = ranks(queries, names, candidates, names)
    monkeypatch.setattr("mmlm_contrastive.retrieval.CHUNK", 2)
    assert ranks(queries, names, candidates, names) == whole


@pytest.mark.parametrize(("candidates", "right", "top"), [(5, 1, 1), (5, 2, 2), (6, 3, 4), (4, 1, 10)])
def test_chance_is_the_share_of_all_orders(candidates, right, top):
    orders = list(itertools.permutations(range(candidates)))
    hits = sum(min(order.index(place) for place in range(right)) < top for order in orders)
    assert chance(candidates, right, top) == pytest.approx(hits / len(orders))


def test_the_metrics_tell_both_directions_and_their_mean():
    rows = [row([1, 0], [1, 0], "1", "a"), row([0, 1], [0.6, 0.8], "2", "b"), row([0.9, 0.4], [0.6, 0.6], "3", "c")]
    told = head().metrics(rows, [None] * 3)
    assert told["image_to_text_recall_at_1"] == pytest.approx(2 / 3)  # the third picture is nearest to the first text
    assert told["text_to_image_recall_at_1"] == pytest.approx(2 / 3)  # the second text is nearest to the third picture
    assert told["recall_at_1"] == pytest.approx(2 / 3) and told["recall_at_5"] == 1.0
    assert told["image_to_text_median_rank"] == 1.0 and told["chance_recall_at_1"] == pytest.approx(1 / 3)


def test_a_text_of_several_rows_is_a_class_and_its_recall_the_accuracy():
    near, far = [1.0, 0.0], [0.0, 1.0]
    rows = [
        row(near, near, "1", "cat"),
        row(near, near, "2", "cat"),
        row(far, far, "3", "dog"),
        row(near, far, "4", "dog"),
    ]
    assert head().metrics(rows, [None] * 4)["image_to_text_recall_at_1"] == 0.75


def test_rows_without_a_pair_are_left_out_and_none_gives_no_metrics():
    assert (
        head().metrics([{"prediction": None, "embeddings": {"text": [1, 0]}, "digests": {"text": "a"}}], [None]) == {}
    )
    assert head().metrics([{"prediction": "the most frequent answer"}], [None]) == {}
