import pytest
import torch
from torch.nn import functional

from mmlm_core.targets import IGNORED
from mmlm_segmentation.losses import cross_entropy, dice

LABELS = torch.tensor([[[0, 1], [1, IGNORED]], [[2, 2], [0, 0]]])


def logits(seed=0):
    return torch.randn(2, 3, 2, 2, generator=torch.Generator().manual_seed(seed))


def test_pixels_that_are_not_scored_reach_no_loss():
    given, other = logits(), logits()
    other[0, :, 1, 1] = 100.0
    for loss in (cross_entropy, dice):
        assert torch.equal(loss(given, LABELS), loss(other, LABELS))


def test_the_cross_entropy_is_a_sum_over_pixels():
    expected = sum(
        functional.cross_entropy(logits()[row, :, down, across], LABELS[row, down, across])
        for row in range(2) for down in range(2) for across in range(2) if LABELS[row, down, across] != IGNORED
    )  # fmt: skip
    torch.testing.assert_close(cross_entropy(logits(), LABELS), expected)


def test_the_dice_loss_is_its_formula():
    given, expected = logits().softmax(1), 0.0
    for row in range(2):
        scored = LABELS[row] != IGNORED
        classes = LABELS[row][scored].unique().tolist()
        coefficients = []
        for number in classes:
            p, t = given[row, number][scored], (LABELS[row][scored] == number).float()
            coefficients.append(2 * (p * t).sum() / (p.sum() + t.sum()))
        expected += scored.sum() * (1 - sum(coefficients) / len(coefficients))
    torch.testing.assert_close(dice(logits(), LABELS), expected)


def test_a_perfect_mask_has_no_dice_loss_and_an_empty_row_neither():
    sure = 100.0 * functional.one_hot(LABELS.clamp(min=0), 3).permute(0, 3, 1, 2).float()
    assert dice(sure, LABELS).item() == pytest.approx(0, abs=1e-4)
    empty = torch.full_like(LABELS, IGNORED)
    given = logits().requires_grad_()
    (dice(given, empty) + cross_entropy(given, empty)).backward()
    assert dice(given, empty) == 0 and given.grad.isfinite().all()
