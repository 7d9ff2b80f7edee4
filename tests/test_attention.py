"""Attention equals its formula, by each of its ways."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mmlm_core.attention import SHORT, attend


def drawn(heads: int = 4, kv_heads: int = 2, queries: int = 5, keys: int = 7) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    shapes = ((3, heads, queries, 8), (3, kv_heads, keys, 8), (3, kv_heads, keys, 8))
    return tuple(torch.randn(shape, requires_grad=True) for shape in shapes)  # type: ignore[return-value]


def formula(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """Head by head, row by row."""
    groups = queries.shape[1] // keys.shape[1]
    made = torch.zeros_like(queries)
    for row in range(queries.shape[0]):
        for head in range(queries.shape[1]):
            scores = queries[row, head] @ keys[row, head // groups].T / 8**0.5
            if mask is not None:
                scores = scores.where(mask.expand(queries.shape[0], 1, *scores.shape)[row, 0], -torch.inf)
            made[row, head] = scores.softmax(-1) @ values[row, head // groups]
    return made


MASKS = {
    "all": None,
    "keys": torch.tensor([[1, 1, 1, 0, 1, 0, 0], [1, 1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0, 0]]).bool()[:, None, None],
    "pairs": torch.ones(3, 1, 5, 7).tril(2).bool(),
}


@pytest.mark.parametrize("mask", list(MASKS))
@pytest.mark.parametrize("bf16", [False, True], ids=["float32", "bf16"])
def test_attention_and_its_gradients_equal_the_formula(mask: str, bf16: bool) -> None:
    tensors = drawn()
    expected = formula(*tensors, MASKS[mask])
    slopes = torch.autograd.grad(expected.square().sum(), tensors)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        made = attend(*tensors, MASKS[mask])
    assert made.dtype == (torch.bfloat16 if bf16 else torch.float32)
    within = {"atol": 0.03, "rtol": 0.03} if bf16 else {"atol": 1e-5, "rtol": 1e-5}
    torch.testing.assert_close(made.float(), expected, **within)
    for ours, theirs in zip(torch.autograd.grad(made.float().square().sum(), tensors), slopes, strict=True):
        assert functional.cosine_similarity(ours.flatten(), theirs.flatten(), 0) > (0.999 if bf16 else 0.999999)


@pytest.mark.parametrize("bf16", [False, True], ids=["float32", "bf16"])
def test_causal_attention_sees_no_later_key(bf16: bool) -> None:
    queries, keys, values = drawn(queries=7)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        made = attend(queries, keys, values, causal=True)
    changed = values.detach().clone()
    changed[:, :, 4:] += 100
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        other = attend(queries, keys, changed, causal=True)
    assert torch.equal(made[:, :, :4], other[:, :, :4])
    assert not torch.equal(made[:, :, 4:], other[:, :, 4:])
    expected = formula(queries, keys, values, torch.ones(1, 1, 7, 7).tril().bool())
    torch.testing.assert_close(made.float(), expected, atol=0.03 if bf16 else 1e-5, rtol=0.03 if bf16 else 1e-5)


def test_long_sequences_in_bf16_build_no_scores() -> None:
    length = int(SHORT**0.5) + 1
    queries = torch.randn(1, 1, length, 4, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        made = attend(queries, queries, queries)
    assert "flash" in type(made.grad_fn).__name__.lower()
