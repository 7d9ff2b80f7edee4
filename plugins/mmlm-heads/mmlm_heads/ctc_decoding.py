"""Decoding of what a model trained by connectionist temporal classification says of each position."""

from __future__ import annotations

import math
from itertools import groupby

from torch import Tensor

__all__ = ["beam_search", "greedy"]

NEVER = -math.inf

Beams = dict[tuple[int, ...], tuple[float, float]]
"""For each prefix the log-probability that it was written with a blank at the end, and with its last token."""


def greedy(log_probs: Tensor, blank: int) -> list[int]:
    """Return the likeliest token of each position, repetitions taken as one and blanks left out (Graves et al. 2006).

    Args:
        log_probs: Of one row, its valid positions alone. Shape: [T, V + 1].
        blank: The id of the blank.
    """
    return [token for token, _ in groupby(log_probs.argmax(-1).tolist()) if token != blank]


def beam_search(log_probs: Tensor, blank: int, beams: int, least: float = 1e-4) -> list[int]:
    """Return the likeliest transcript, over all ways to write it, by prefix beam search (Hannun et al. 2014).

    Args:
        log_probs: Of one row, its valid positions alone. Shape: [T, V + 1].
        blank: The id of the blank.
        beams: Prefixes that are kept after each position.
        least: A token is left out where it is less probable than this; 0: none is.
    """
    bound = math.log(least) if least else NEVER
    kept: Beams = {(): (0.0, NEVER)}
    for position in log_probs.tolist():
        tokens = [(token, score) for token, score in enumerate(position) if score >= bound and token != blank]
        grown: Beams = {}
        for prefix, (blanked, spoken) in kept.items():
            _add(grown, prefix, blanked=_sum((blanked, spoken)) + position[blank])
            for token, score in tokens:
                if prefix and token == prefix[-1]:  # said again it is the same, unless a blank lies between
                    _add(grown, prefix, spoken=spoken + score)
                    _add(grown, (*prefix, token), spoken=blanked + score)
                else:
                    _add(grown, (*prefix, token), spoken=_sum((blanked, spoken)) + score)
        kept = dict(sorted(grown.items(), key=lambda item: _sum(item[1]), reverse=True)[:beams])
    return list(next(iter(kept)))


def _add(grown: Beams, prefix: tuple[int, ...], blanked: float = NEVER, spoken: float = NEVER) -> None:
    before = grown.get(prefix, (NEVER, NEVER))
    grown[prefix] = (_sum((before[0], blanked)), _sum((before[1], spoken)))


def _sum(logarithms: tuple[float, float]) -> float:
    """Return the logarithm of a sum of probabilities."""
    first, second = logarithms
    high, low = (first, second) if first > second else (second, first)
    return high if low == NEVER else high + math.log1p(math.exp(low - high))
