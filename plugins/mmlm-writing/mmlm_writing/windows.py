"""Windows of a text that is longer than what a model reads at once: one drawn at random, or all of them, for a score.

A text of n tokens is read as n + 1 *positions*: at each of them stands a token (the first is `begin`), and its label is
the token that follows (the last is `end`).
"""

from __future__ import annotations

import torch
from torch import Tensor

from mmlm_core.targets import IGNORED

__all__ = ["all_windows", "random_window"]


def random_window(positions: int, context: int, generator: torch.Generator) -> slice:
    """Return a window of a text, drawn so that its ends are not drawn less often than its middle.

    The window's place is drawn among all that touch the text, and then shifted into it: each position is drawn with a
    probability of at least context / (positions + context - 1).

    Args:
        positions: Of the text.
        context: Of the window.
        generator: The source of randomness.
    """
    if positions <= context:
        return slice(0, positions)
    drawn = int(torch.randint(1 - context, positions, (), generator=generator))
    start = min(max(drawn, 0), positions - context)
    return slice(start, start + context)


def all_windows(ids: Tensor, labels: Tensor, context: int, overlap: int, pad: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return windows in which every label of a text stands exactly once.

    Each window begins where the one before it ended, less `overlap` positions that are read again and not scored.

    Args:
        ids: Shape: [P].
        labels: Shape: [P].
        context: Positions of a window.
        overlap: Positions that a window shares with the one before it; below `context`.
        pad: Id of padding, behind the last window.

    Returns:
        Ids, labels (`IGNORED` where they are not scored) and mask. Shape of each: [W, context].
    """
    stride = context - overlap
    count = 1 + max(0, -(-(len(ids) - context) // stride))
    places = torch.arange(count).unsqueeze(1) * stride + torch.arange(context)
    mask = places < len(ids)
    places = places.clamp(max=len(ids) - 1)
    scored = mask.clone()
    scored[1:, :overlap] = False
    return ids[places].masked_fill(~mask, pad), labels[places].masked_fill(~scored, IGNORED), mask
