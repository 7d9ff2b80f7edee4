"""The cross-entropy in parts: the loss and the gradients of the plain one, without holding all logits."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mmlm_core import cross_entropy
from mmlm_core.cross_entropy import linear_cross_entropy
from mmlm_core.targets import IGNORED

ROWS, WIDTH, VOCABULARY = 37, 16, 50


def materials(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    """Return what a map reads, its weight, and labels, some of which are not scored."""
    drawn = torch.Generator().manual_seed(0)
    hidden = torch.randn(ROWS, WIDTH, generator=drawn, dtype=dtype).requires_grad_()
    weight = torch.randn(VOCABULARY, WIDTH, generator=drawn, dtype=dtype).requires_grad_()
    labels = torch.randint(VOCABULARY, (ROWS,), generator=drawn)
    labels[::5] = IGNORED
    return hidden, weight, labels


def plain(hidden: Tensor, weight: Tensor, labels: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Return the loss over all logits at once."""
    logits = functional.linear(hidden, weight).float()
    return functional.cross_entropy(logits, labels, reduction="sum", label_smoothing=label_smoothing)


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_entropy, "LARGE", 0)
    monkeypatch.setattr(cross_entropy, "PART", 8 * VOCABULARY)  # 37 rows: four parts and a rest


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_loss_and_gradients_are_those_of_the_plain_one(label_smoothing: float) -> None:
    hidden, weight, labels = materials()
    mine = linear_cross_entropy(hidden, weight, labels, label_smoothing)
    expected = plain(hidden, weight, labels, label_smoothing)
    torch.testing.assert_close(mine, expected)
    found = torch.autograd.grad(mine / 7, (hidden, weight))
    for one, other in zip(found, torch.autograd.grad(expected / 7, (hidden, weight)), strict=True):
        torch.testing.assert_close(one, other)
    assert not found[0][::5].any(), "what is not scored moves nothing"


@pytest.mark.usefixtures("in_parts")
def test_a_frozen_map_passes_the_gradient_on() -> None:
    hidden, weight, labels = materials()
    expected = torch.autograd.grad(plain(hidden, weight, labels), hidden)[0]
    linear_cross_entropy(hidden, weight.requires_grad_(False), labels).backward()
    torch.testing.assert_close(hidden.grad, expected)
    assert weight.grad is None


@pytest.mark.usefixtures("in_parts")
def test_under_bf16_the_loss_is_as_near_as_the_plain_one_s() -> None:
    hidden, weight, labels = materials()
    exact = plain(hidden, weight, labels)
    with torch.autocast("cpu", torch.bfloat16):
        mine = linear_cross_entropy(hidden, weight, labels)
        usual = plain(hidden, weight, labels)
    assert mine.dtype == torch.float32
    torch.testing.assert_close(mine, usual, rtol=1e-3, atol=0)
    torch.testing.assert_close(mine, exact, rtol=1e-2, atol=0)
    gradients = torch.autograd.grad(mine, (hidden, weight))
    for one, other in zip(gradients, torch.autograd.grad(exact, (hidden, weight)), strict=True):
        assert one.dtype == torch.float32 and (one - other).norm() < 0.02 * other.norm()


@pytest.mark.usefixtures("in_parts")
def test_a_gradient_may_be_asked_for_twice() -> None:
    hidden, weight, labels = materials()
    mine = linear_cross_entropy(hidden, weight, labels)
    first = torch.autograd.grad(mine, weight, retain_graph=True)[0]
    assert torch.autograd.grad(mine, weight)[0].equal(first)


def test_no_more_than_a_part_of_the_logits_is_ever_made(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden, weight, labels = materials()
    sizes: list[int] = []
    softmax = Tensor.log_softmax

    def noted(logits: Tensor, dim: int, dtype: torch.dtype) -> Tensor:
        sizes.append(logits.numel())
        return softmax(logits, dim, dtype=dtype)

    monkeypatch.setattr(Tensor, "log_softmax", noted)
    linear_cross_entropy(hidden, weight, labels)
    assert not sizes, "few logits are made at once"
    monkeypatch.setattr(cross_entropy, "LARGE", ROWS * VOCABULARY)
    monkeypatch.setattr(cross_entropy, "PART", 10 * VOCABULARY)
    linear_cross_entropy(hidden, weight, labels)
    assert sizes == [10 * VOCABULARY] * 3 + [7 * VOCABULARY]
