"""Find texts that are almost another text."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

__all__ = ["originals", "shingles"]


def shingles(tokens: Sequence[str], length: int) -> set[tuple[str, ...]]:
    """Return all runs of `length` tokens; a shorter text is one run."""
    return {tuple(tokens[start : start + length]) for start in range(max(1, len(tokens) - length + 1))}


def originals(documents: Sequence[set[tuple[str, ...]]], shared: float) -> list[int]:
    """Return the places of the documents that repeat none before them.

    A document repeats another if the smaller of the two shares this part of its shingles with the other: that finds
    excerpts too, which the plain overlap of sets misses.

    Args:
        documents: The shingles of each document.
        shared: Part from 0 to 1.
    """
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    kept: list[int] = []
    for place, document in enumerate(documents):
        overlap = Counter(holder for shingle in document for holder in holders.get(shingle, ()))
        if all(count < shared * min(len(document), len(documents[holder])) for holder, count in overlap.items()):
            kept.append(place)
            for shingle in document:
                holders[shingle].append(place)
    return kept
