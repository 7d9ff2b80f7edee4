"""The losses of masks, as sums over pixels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mmlm_core.targets import IGNORED

__all__ = ["cross_entropy", "dice"]


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy, summed over the pixels that are scored.

    Shape: logits [B, K, H, W], labels [B, H, W] -> [].
    """
    return functional.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum")


def dice(logits: Tensor, labels: Tensor) -> Tensor:
    """Return one minus each row's Dice coefficient, the mean over the classes that it has, times its scored pixels.

    The coefficient of a class is 2 * sum(p * t) / (sum(p) + sum(t)) over the probabilities p and the truth t, without
    squares. Summed over rows and divided by all pixels, it is a mean over rows, weighted by their pixels.

    Shape: logits [B, K, H, W], labels [B, H, W] -> [].
    """
    scored = (labels != IGNORED).unsqueeze(1)
    probabilities = logits.softmax(1) * scored
    truth = torch.zeros_like(probabilities).scatter_(1, labels.clamp(min=0).unsqueeze(1), 1.0) * scored
    areas = truth.sum((2, 3))
    overlap = 2 * (probabilities * truth).sum((2, 3)) / (probabilities.sum((2, 3)) + areas).clamp(min=1e-6)
    has = areas > 0
    coefficient = (overlap * has).sum(1) / has.sum(1).clamp(min=1)
    return ((1 - coefficient) * scored.sum((1, 2, 3))).sum()
