from dataclasses import replace

import pytest
import torch

from mmlm_core.errors import MmlmError
from mmlm_core.types import Features
from mmlm_writing.copying import Copying

VOCABULARY, WIDTH, UNKNOWN = 9, 6, 8


def made(rows=2, positions=5):
    torch.manual_seed(0)
    copying = Copying(WIDTH, UNKNOWN)
    mask = torch.arange(positions) < torch.tensor([5, 3])[:rows, None]
    source = Features(
        torch.randn(rows, positions, WIDTH), mask, ids=torch.tensor([[3, 4, 3, 0, 4], [7, 7, 2, 7, 1]])[:rows]
    )
    return copying, source, torch.randn(rows, 2, VOCABULARY), torch.randn(rows, 2, WIDTH)


def one_by_one(copying, source, logits, hidden):
    """Return the probabilities of the tokens by the formula. Shape: [B, T, V]."""
    rows = []
    for row, length in enumerate(source.mask.sum(1).tolist()):
        for time in range(logits.shape[1]):
            products = copying.offered(source.values[row, :length]) @ copying.wanted(hidden[row, time]) / WIDTH**0.5
            shares = torch.cat([logits[row, time], products]).softmax(0)
            tokens = torch.cat([torch.arange(VOCABULARY), source.ids[row, :length]])
            rows.append(torch.zeros(VOCABULARY).index_add(0, tokens, shares))
    return torch.stack(rows).view_as(logits)


def test_a_tokens_probability_is_its_own_share_and_that_of_each_position_where_it_stands():
    copying, source, logits, hidden = made()
    for part in (source.values, logits, hidden):
        part.requires_grad_()
    ours = copying(logits, hidden, copying.remember(source)).softmax(-1)
    expected = one_by_one(copying, source, logits, hidden)
    torch.testing.assert_close(ours, expected)
    weights, parts = torch.randn(VOCABULARY), [source.values, logits, hidden, *copying.parameters()]
    slopes = [torch.autograd.grad((scored.log() * weights).sum(), parts) for scored in (ours, expected)]
    torch.testing.assert_close(*slopes)


def test_a_row_without_a_text_keeps_its_logits():
    copying, source, logits, hidden = made()
    nothing = Features(source.values, torch.zeros_like(source.mask), ids=source.ids)
    torch.testing.assert_close(copying(logits, hidden, copying.remember(nothing)), logits)


def test_the_unknown_token_is_not_copied():
    copying, source, logits, hidden = made()
    left = replace(source, mask=source.mask & (source.ids != 4))
    copying.unknown = 4
    torch.testing.assert_close(
        copying(logits, hidden, copying.remember(source)), copying(logits, hidden, copying.remember(left))
    )


def test_a_text_that_does_not_say_its_tokens_is_refused():
    copying, source, _, _ = made()
    with pytest.raises(MmlmError, match=r"`head\.copy` copies tokens of the input `text`, whose features do not say"):
        copying.remember(Features(source.values))


def test_far_scores_stay_finite():
    copying, source, logits, hidden = made()
    memory = copying.remember(source)
    memory["offered"] = (memory["offered"] * 1e4).detach().requires_grad_()
    scored = copying(logits, hidden, memory)
    scored.log_softmax(-1)[..., 3].sum().backward()
    assert scored.isfinite().all() and memory["offered"].grad.isfinite().all()
