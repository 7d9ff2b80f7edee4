"""How well each item finds its other one among all of a split."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import torch
from torch import Tensor

__all__ = ["chance", "ranks", "summary"]

CHUNK = 1024
"""Rows that are ranked at once."""


def ranks(queries: Tensor, asked: Sequence[str], candidates: Tensor, answers: Sequence[str]) -> tuple[list[int], float]:
    """Return the rank of each row's best right answer among all different ones, and how many are right in the mean.

    Equal candidates count once. Right is every candidate that stands in a row with the same query, so where several
    rows share one text, the picture of any of them is. A wrong candidate as similar as the best right one comes before
    it, so that a model that says the same of everything finds nothing.

    Args:
        queries: The rows' embeddings of one modality. Shape: [N, E].
        asked: What tells equal queries, one a row.
        candidates: The rows' embeddings of the other modality. Shape: [N, E].
        answers: What tells equal candidates, one a row.

    Returns:
        Ranks from 1, one a row; and the mean number of right candidates.
    """
    first: dict[str, int] = {}
    for row, name in enumerate(answers):
        first.setdefault(name, row)
    column = {name: place for place, name in enumerate(first)}
    distinct = candidates[list(first.values())]
    right: dict[str, set[int]] = {}
    for query, answer in zip(asked, answers, strict=True):
        right.setdefault(query, set()).add(column[answer])
    found: list[int] = []
    for start in range(0, len(queries), CHUNK):
        scores = queries[start : start + CHUNK] @ distinct.T
        is_right = torch.zeros_like(scores, dtype=torch.bool)
        for row, query in enumerate(asked[start : start + CHUNK]):
            is_right[row, list(right[query])] = True
        best = scores.masked_fill(~is_right, -torch.inf).amax(1, keepdim=True)
        found += (1 + ((scores >= best) & ~is_right).sum(1)).tolist()
    return found, sum(len(right[query]) for query in asked) / len(asked)


def chance(candidates: int, right: float, top: int) -> float:
    """Return the share of queries that find a right answer among the first `top` of a random order.

    Args:
        candidates: Different ones.
        right: How many of them are right for a query, in the mean.
        top: How many are looked at.
    """
    missed = 1.0
    for place in range(min(top, candidates)):
        missed *= max(0.0, 1 - right / (candidates - place))
    return 1 - missed


def summary(name: str, found: Sequence[int], tops: Sequence[int]) -> dict[str, float]:
    """Return the recall at each of `tops`, and the median rank, of one direction."""
    recalls = {f"{name}_recall_at_{top}": sum(rank <= top for rank in found) / len(found) for top in tops}
    return {**recalls, f"{name}_median_rank": float(median(found))}
