"""Texts packed into one row are learnt as if each stood alone."""

from __future__ import annotations

import random

import pytest
import torch
from torch import Tensor

from mmlm_backbones.cnn import CnnBackbone
from mmlm_backbones.options import CnnOptions
from mmlm_core.data import Collator, Draw, Prepared
from mmlm_core.interfaces import Backbone, Fusion
from mmlm_core.model import Model
from mmlm_core.testing.contracts.materials import Characters
from mmlm_core.tokens import TokenTable
from mmlm_core.types import QUERIES, Batch, Example, Joined, join
from mmlm_recurrent.gru import GruBackbone
from mmlm_recurrent.options import GruOptions
from mmlm_transformer.options import TransformerOptions
from mmlm_transformer.transformer import Transformer
from mmlm_writing.language_modeling import LanguageModeling
from mmlm_writing.options import LanguageModelingOptions
from mmlm_writing.packing import fitted, levelled, pack

WIDTH = 16
TEXTS = ["The whale.", "A", "Call me Ishmael, some years ago.", "never mind how long", "No.", "The sea, the sea!"]
BACKBONES = {
    "transformer, rotary": lambda: Transformer(TransformerOptions(width=WIDTH, depth=2, heads=2), causal=True),
    "transformer, learned": lambda: Transformer(
        TransformerOptions(width=WIDTH, depth=2, heads=2, positions="learned", max_positions=64), causal=True),
    "gru": lambda: GruBackbone(GruOptions(width=WIDTH, depth=2, dropout=0.0), causal=True),
    "cnn": lambda: CnnBackbone(CnnOptions(width=WIDTH, depth=2, dropout=0.0), causal=True),
}  # fmt: skip


class Queries(Fusion):
    """Nothing but the head's queries."""

    def join(self, inputs: object, queries: object) -> tuple[Joined, ...]:
        return (join({QUERIES: queries}),)


def model_of(backbone: Backbone, pack: bool) -> Model:
    torch.manual_seed(3)
    table = TokenTable(Characters.vocabulary, WIDTH)
    options = LanguageModelingOptions(context=48, pack=pack, dropout=0.0)
    head = LanguageModeling(options, width=WIDTH, modalities=(), facts={}, tokenizer=Characters(), table=table)
    return Model({}, {}, Queries(), backbone, head).train()


def batch_of(model: Model, texts: list[str]) -> Batch:
    targets = model.head.target_processor()
    prepared = Prepared([Example(str(i), {}, text) for i, text in enumerate(texts)], {}, targets)
    return Collator({}, targets, 7)([prepared[i] for i in range(len(texts))], Draw([]))


def learnt(model: Model, batches: list[Batch]) -> tuple[Tensor, int, dict[str, Tensor]]:
    """Return the loss's sum and count over batches, and the gradients of the sum."""
    model.zero_grad()
    losses = [model.loss(batch) for batch in batches]
    total = torch.stack([loss.total for loss in losses]).sum()
    total.backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    return total.detach(), int(sum(loss.count for loss in losses)), {k: g.clone() for k, g in gradients.items()}


@pytest.mark.parametrize("name", BACKBONES)
def test_loss_and_gradients_of_packed_texts_equal_those_of_each_alone(name: str) -> None:
    torch.manual_seed(1)
    backbone = BACKBONES[name]()
    alone = model_of(backbone, pack=False).double()
    packed = model_of(backbone, pack=True).double()
    packed.load_state_dict(alone.state_dict())
    whole = batch_of(packed, TEXTS)
    assert whole.targets["ids"].shape[0] < len(TEXTS)
    total, count, gradients = learnt(packed, [whole])
    wanted, scored, others = learnt(alone, [batch_of(alone, [text]) for text in TEXTS])
    assert count == scored == sum(map(len, TEXTS)) + len(TEXTS)
    torch.testing.assert_close(total, wanted, rtol=1e-6, atol=0)  # the cross-entropy is in float32
    assert gradients.keys() == others.keys()
    for parameter, gradient in gradients.items():
        torch.testing.assert_close(gradient, others[parameter], rtol=1e-5, atol=1e-6)


def test_texts_stand_side_by_side_and_know_which_they_are() -> None:
    ids = [torch.tensor([1, 2]), torch.tensor([3, 4, 5]), torch.tensor([6])]
    labels = [torch.tensor([2, 9]), torch.tensor([4, 5, 9]), torch.tensor([9])]
    made = pack(ids, labels, room=4, pad=0)
    assert made["ids"].tolist() == [[3, 4, 5], [1, 2, 6]]
    assert made["labels"].tolist() == [[4, 5, 9], [2, 9, 9]]
    assert made["documents"].tolist() == [[0, 0, 0], [0, 0, 1]]
    assert "mask" not in made
    two = pack(ids[:2], labels[:2], room=4, pad=0)
    assert two["ids"].tolist() == [[3, 4, 5], [1, 2, 0]]
    assert two["labels"].tolist() == [[4, 5, 9], [2, 9, -100]]
    assert two["mask"].tolist() == [[True] * 3, [True, True, False]]
    assert two["lengths"].tolist() == [3, 2]


def test_every_text_has_one_place_and_no_row_is_longer_than_its_room() -> None:
    random.seed(3)
    lengths = [random.randint(1, 60) for _ in range(300)]
    rows = levelled(lengths, 64)
    assert len(rows) == len(fitted(lengths, 64))
    assert sorted(text for row in rows for text in row) == list(range(300))
    assert all(sum(lengths[text] for text in row) <= 64 for row in rows)
    assert sum(lengths) / (64 * len(rows)) > 0.95


def test_a_few_texts_fill_their_rows_alike() -> None:
    rows = levelled([40, 30, 30, 20, 20, 10], 100)
    assert sorted(sum([40, 30, 30, 20, 20, 10][text] for text in row) for row in rows) == [70, 80]
    assert levelled([5], 100) == [[0]]


def test_an_evaluation_is_not_packed() -> None:
    model = model_of(BACKBONES["cnn"](), pack=True)
    targets = model.head.target_processor()
    prepared = Prepared([Example(str(i), {}, text) for i, text in enumerate(TEXTS)], {}, targets)
    batch = Collator({}, targets)([prepared[i] for i in range(len(TEXTS))])
    assert batch.targets["ids"].shape[0] == len(TEXTS)
    assert "documents" not in batch.targets
