import math

import pytest
import torch
from torch.nn import functional

from mmlm_contrastive.contrastive import Contrastive
from mmlm_contrastive.losses import Sides, infonce, sigmoid
from mmlm_contrastive.options import ContrastiveOptions, Duplicates, PairLoss, Pooling
from mmlm_contrastive.pairs import Pairs, digest
from mmlm_contrastive.pooling import pool
from mmlm_core.errors import DataError
from mmlm_core.types import Batch, Example, Features


def sides(one, other, compared=None, offset=0):
    compared = torch.ones(len(one), len(other), dtype=torch.bool) if compared is None else compared
    return Sides((one, other), (one, other), compared, offset)


def unit(rows, width=4, seed=0):
    return functional.normalize(torch.randn(rows, width, generator=torch.Generator().manual_seed(seed)), dim=-1)


def head(**options):
    torch.manual_seed(0)
    chosen = ContrastiveOptions(**{"width": 4, **options})
    return Contrastive(chosen, width=6, modalities=("image", "text"), facts={})


def batch(texts, images=None):
    images = images or [f"{index}.png" for index in range(len(texts))]
    processor = Pairs(("image", "text"))
    examples, rows = [], []
    for index, (text, image) in enumerate(zip(texts, images, strict=True)):
        inputs = {name: [] if item is None else [item] for name, item in (("image", image), ("text", text))}
        tensors = {name: [{"x": torch.zeros(1)} for _ in items] for name, items in inputs.items()}
        examples.append(Example(f"row {index}", inputs))
        rows.append(processor.process(examples[-1], tensors))
    return Batch(len(texts), {}, processor.collate(rows, {}, None), examples)


def outputs(rows, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {name: Features(torch.randn(rows, 3, 6, generator=generator)) for name in ("image", "text")}


def test_infonce_is_clips_pseudocode():
    one, other = unit(5), unit(5, seed=1)
    logits = 7.0 * one @ other.T
    labels = torch.arange(5)
    expected = (functional.cross_entropy(logits, labels) + functional.cross_entropy(logits.T, labels)) / 2
    torch.testing.assert_close(infonce(sides(one, other), torch.tensor(7.0)) / 5, expected)


def test_sigmoid_is_siglips_pseudocode():
    one, other = unit(5), unit(5, seed=1)
    logits = 10.0 * one @ other.T - 10.0
    labels = 2 * torch.eye(5) - torch.ones(5, 5)
    expected = -functional.logsigmoid(labels * logits).sum() / 5
    torch.testing.assert_close(sigmoid(sides(one, other), torch.tensor(10.0), torch.tensor(-10.0)) / 5, expected)


@pytest.mark.parametrize("loss", list(PairLoss))
def test_rows_that_share_a_text_are_no_negatives_of_each_other(loss):
    model, three = head(loss=loss).eval(), batch(["cat", "dog", "cat"])
    given = outputs(3)
    whole = model.loss(given, three).total
    moved = {**given, "image": given["image"].with_values(given["image"].values.clone())}
    moved["image"].values[2] *= -1  # the other cat's picture
    before = _row(model, given, three, 0)
    after = _row(model, moved, three, 0)
    assert torch.equal(before, after) and not torch.equal(before, _row(model, moved, batch(["cat", "dog", "fox"]), 0))
    counted = head(loss=loss, duplicates=Duplicates.negative).eval()
    assert counted.loss(given, three).total > whole


def _row(model, given, rows, place):
    """The gradient of the text of one row knows with which pictures it is compared."""
    text = given["text"].values.clone().requires_grad_()
    total = model.loss({**given, "text": given["text"].with_values(text)}, rows).total
    compared = torch.autograd.grad(total, text)[0]
    return compared[place]


@pytest.mark.parametrize("loss", list(PairLoss))
def test_a_row_without_one_of_its_items_takes_no_part(loss):
    model, given = head(loss=loss).eval(), outputs(3)
    mask = torch.tensor([[True] * 3, [True] * 3, [False] * 3])
    blank = {**given, "image": Features(given["image"].values, mask)}
    alone = {name: Features(part.values[:2]) for name, part in given.items()}
    ours, theirs = model.loss(blank, batch(["a", "b", "c"], ["x", "y", None])), model.loss(alone, batch(["a", "b"]))
    torch.testing.assert_close(ours.total, theirs.total)
    assert int(ours.count) == int(theirs.count) == 2


@pytest.mark.parametrize("loss", list(PairLoss))
def test_a_batch_without_a_complete_row_has_no_loss_and_finite_gradients(loss):
    model, given = head(loss=loss).train(), outputs(2)
    given["image"] = Features(given["image"].values, torch.zeros(2, 3, dtype=torch.bool))
    loss_of = model.loss(given, batch(["a", "b"], [None, None]))
    loss_of.mean.backward()
    assert loss_of.total == 0 and loss_of.count == 0
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_the_temperature_begins_as_in_the_papers_and_stays_above_a_hundredth():
    for loss, temperature in ((PairLoss.infonce, 0.07), (PairLoss.sigmoid, 0.1)):
        assert math.isclose(head(loss=loss).log_scale.exp().item(), 1 / temperature, rel_tol=1e-5)
    model = head().train()
    with torch.no_grad():
        model.log_scale.fill_(9.0)
    model.loss(outputs(2), batch(["a", "b"])).total.backward()
    assert math.isclose(model.log_scale.exp().item(), 100, rel_tol=1e-5)


def test_a_pair_of_equal_vectors_has_a_similarity_of_one_and_a_missing_item_none():
    model = head().eval()
    model.maps["text"].load_state_dict(model.maps["image"].state_dict())
    given = outputs(2)
    given["text"] = given["image"]
    mask = torch.tensor([[True] * 3, [False] * 3])
    given["text"] = Features(given["text"].values, mask)
    told = model.predict(given, batch(["a", None]))
    assert told[0]["prediction"] == pytest.approx(1, abs=1e-5) and told[1]["prediction"] is None
    assert set(told[0]["embeddings"]) == {"image", "text"} and set(told[1]["embeddings"]) == {"image"}
    assert sum(x * x for x in told[0]["embeddings"]["text"]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("pooling", "expected"), [("mean", [2.0, 3.0]), ("max", [3.0, 4.0]), ("first", [1.0, 2.0]), ("last", [3.0, 4.0])]
)
def test_pooling_reads_valid_positions_alone(pooling, expected):
    values = torch.tensor([[[9.0, 9.0], [1.0, 2.0], [3.0, 4.0], [9.0, 9.0]], [[9.0, 9.0]] * 4])
    mask = torch.tensor([[False, True, True, False], [False] * 4])
    assert pool(Features(values, mask), Pooling(pooling)).tolist() == [expected, [0.0, 0.0]]


def test_texts_that_a_tokenizer_cannot_tell_apart_stay_two():
    same = [{"ids": torch.tensor([1, 2])}]
    assert digest(["lynx"], same) != digest(["ibex"], same) and digest(["lynx"], same) == digest(["lynx"], same)
    assert digest([3], same) == digest([4], same) != digest([3], [{"ids": torch.tensor([2, 1])}])
    assert digest(["ab", "c"], same * 2) != digest(["a", "bc"], same * 2) and digest([], []) == 0


def test_a_row_with_neither_item_is_refused():
    with pytest.raises(DataError) as refused:
        Pairs(("image", "text")).process(Example("row"), {"image": [], "text": []})
    assert str(refused.value) == "The row must have `image` or `text`; it has none."
