"""Texts that are written over each fusion: with a cache as without, for rows with and without a picture."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mmlm_core import generation
from mmlm_core.build import build
from mmlm_core.compat import check
from mmlm_core.composition import Composition
from mmlm_core.data import collate_examples
from mmlm_core.errors import CompositionError
from mmlm_core.model import Model
from mmlm_core.plugins import load_plugins
from mmlm_core.settings import DecodingOptions
from mmlm_core.testing.contracts.common import pictures
from mmlm_core.types import Batch, Example

REGISTRY = load_plugins().registry
FUSIONS = {
    "markers": {"name": "concat", "markers": {"image": "<image>"}},
    "order": {"name": "concat", "order": ["text", "image"]},
    "film": {"name": "film", "keep": ["image"]},
    "film of all": {"name": "film"},
    "bottleneck": {"name": "bottleneck", "heads": 2},
    "bottleneck of texts": {"name": "bottleneck", "heads": 2, "keep": ["image"]},
}
BACKBONES = ["cnn", "gru", "lstm", "transformer"]
each = pytest.mark.parametrize("backbone", BACKBONES)
with_each = pytest.mark.parametrize("fusion", FUSIONS.values(), ids=FUSIONS)


COPIES = {"name": "answering", "tie": False, "copy": True}


def made(
    backbone: str, fusion: dict[str, Any], head: dict[str, Any] | None = None, projection: dict[str, Any] | None = None
) -> tuple[Model, Batch]:
    """Return a random model that answers questions about pictures, and a batch of rows with 2, 1 and no pictures."""
    mapping = {
        "data": {"name": "table", "path": "t.csv", "inputs": {"image": "i", "text": "t"}, "target": "answer"},
        "tokenizer": {"name": "byte"},
        "encoder": {"image": {"name": "cnn", "size": 8, "channels": [8, 16], "width": 16},
                    "text": {"name": "embedding"}},
        "projection": {"image": {"name": "linear"}, "text": projection or {"name": "linear"}},
        "fusion": fusion,
        "backbone": {"name": backbone, **REGISTRY.get("backbone", backbone).tiny, "depth": 2},
        "head": head or {"name": "captioning", "tie": False},
        "optimizer": {"name": "adamw"},
        "schedule": {"name": "constant"},
    }  # fmt: skip
    composition = Composition.from_mapping(REGISTRY, mapping)
    check(composition, REGISTRY)
    tokenizer = composition["tokenizer"].make()
    tokenizer.train(["text"])
    model = build(composition, tokenizer=tokenizer)
    torch.manual_seed(1)
    with torch.no_grad():  # larger weights than a fresh model's, none of them zero, so that texts differ
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(3.0).add_(torch.randn(parameter.shape) * 0.05)
    one, two, three = pictures()
    rows = [({"image": [one, two], "text": ["is <image> like <image>?"]}, "no"), ({"text": ["hm"]}, "yes and no"),
            ({"image": [three], "text": ["<image>"]}, "no")]  # fmt: skip
    examples = [Example(f"row {number}", inputs, answer) for number, (inputs, answer) in enumerate(rows)]
    return model, collate_examples(examples, model.processors(), model.head.target_processor())


@each
@with_each
def test_with_a_cache_the_tokens_are_the_same_as_without(backbone: str, fusion: dict[str, Any]) -> None:
    model, batch = made(backbone, fusion)
    options = DecodingOptions(max_tokens=4, beams=2)
    cached = generation.generate(model.eval(), batch, options)
    uncached = generation.generate(model, batch, options, cache=False)
    assert [row.ids for row in cached] == [row.ids for row in uncached]
    assert [row.score for row in cached] == pytest.approx([row.score for row in uncached], abs=1e-4)


@each
@pytest.mark.parametrize("fusion", ["concat", "cross_attention", "film"])
def test_texts_that_may_be_copied_are_the_same_with_a_cache_and_score_as_they_are_learnt(
    backbone: str, fusion: str
) -> None:
    model, batch = made(backbone, {"name": fusion}, COPIES)
    options = DecodingOptions(max_tokens=4, beams=2)
    cached = generation.generate(model.eval(), batch, options)
    uncached = generation.generate(model, batch, options, cache=False)
    assert [row.ids for row in cached] == [row.ids for row in uncached]
    assert [row.score for row in cached] == pytest.approx([row.score for row in uncached], abs=1e-4)
    scores = [row["log_likelihood"] for row in model.predict(batch)]
    with torch.no_grad():
        loss = model.loss(batch)
    assert sum(scores) == pytest.approx(-loss.total.item(), rel=1e-5)


@pytest.mark.parametrize("projection", [{"name": "pool"}, {"name": "perceiver"}])
def test_what_forgets_its_tokens_is_refused_where_they_are_copied(projection: dict[str, Any]) -> None:
    with pytest.raises(CompositionError, match=r"copies tokens of a text \(`head\.copy`\)"):
        made("gru", {"name": "cross_attention"}, COPIES, projection)


@each
@with_each
def test_gradients_are_finite_and_reach_everything_also_where_a_row_has_no_picture(
    backbone: str, fusion: dict[str, Any]
) -> None:
    model, batch = made(backbone, fusion)
    model.train().loss(batch).mean.backward()
    wrong = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert not wrong


@with_each
def test_a_later_token_reaches_no_earlier_one(fusion: dict[str, Any]) -> None:
    model, batch = made("transformer", fusion)
    model.eval()
    before = model(batch)["queries"].values
    batch.targets["ids"][1, -1] += 1
    after = model(batch)["queries"].values
    torch.testing.assert_close(before[1, :-1], after[1, :-1])
    assert not torch.allclose(before[1, -1], after[1, -1])


def test_the_place_of_a_picture_in_the_text_matters() -> None:
    model, _ = made("transformer", FUSIONS["markers"])
    model.eval()
    said = []
    for text in ("a<image>b", "ab<image>", "<image>ab"):
        row = Example("row", {"image": [pictures()[0]], "text": [text]}, "no")
        batch = collate_examples([row], model.processors(), model.head.target_processor())
        said.append(round(model.loss(batch).mean.item(), 5))
    assert len(set(said)) == 3
