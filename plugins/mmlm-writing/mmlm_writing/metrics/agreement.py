"""How far texts agree with their references, word by word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from mmlm_writing.metrics.words import words

__all__ = ["bag_f1", "exact_match", "listed", "mean", "token_f1"]


def listed(references: Sequence[Any]) -> list[list[str]]:
    """Return each row's references as a list of texts, where a row may have a text or a list of them."""
    return [[reference] if isinstance(reference, str) else list(reference) for reference in references]


def exact_match(texts: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the share of texts that have the words of a reference; case and spaces do not matter."""
    rows = zip(texts, references, strict=True)
    return mean([any(words(text) == words(one) for one in several) for text, several in rows])


def token_f1(texts: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the mean over rows of the F1 between the bag of a text's words and that of the nearest reference."""
    rows = zip(texts, references, strict=True)
    return mean([max(bag_f1(words(text), words(one)) for one in several) for text, several in rows])


def bag_f1(given: Sequence[str], wanted: Sequence[str]) -> float:
    """Return the F1 of two bags of words; 0 where both are empty."""
    return 2 * (Counter(given) & Counter(wanted)).total() / max(len(given) + len(wanted), 1)


def mean(values: Sequence[float]) -> float:
    """Return the mean of at least one value."""
    return sum(values) / len(values)
