"""Arranges rows before they are cut into batches: rows of like length together, rows of rare classes more often."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["balanced", "in_runs"]


def balanced(classes: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Return as many rows as there are, drawn so that their classes are more alike in number, in a random order.

    A class of n rows gets a share that goes with n ** (1 - strength). Within a class no row is drawn more than once
    more often than another.

    Args:
        classes: The class of each row, from 0. Shape: [rows].
        strength: 0: each row once; 1: each class as often as any other.
        generator: The source of randomness.

    Shape: -> [rows], indices.
    """
    counts = torch.bincount(classes)
    shares = counts.double().pow(1 - strength).masked_fill(counts == 0, 0)
    exact = shares / shares.sum() * len(classes)
    wanted = exact.floor().long()
    rest = len(classes) - int(wanted.sum())
    wanted[(exact - wanted).argsort(descending=True, stable=True)[:rest]] += 1
    drawn = []
    for number, count in enumerate(wanted.tolist()):
        rows = (classes == number).nonzero().squeeze(1)
        if count:
            order = rows[torch.randperm(len(rows), generator=generator)]
            drawn.append(order.repeat(-(-count // len(rows)))[:count])
    every = torch.cat(drawn)
    return every[torch.randperm(len(every), generator=generator)]


def in_runs(lengths: Sequence[int], size: int, first: int, generator: torch.Generator) -> list[int]:
    """Return an order of rows in which runs of `size` have like lengths, the runs themselves in a random order.

    What does not fill a run stands at both ends, and is short: first as many rows as complete a run that was begun
    before them, and last those that begin another.

    Args:
        lengths: Of each row.
        size: Rows of a run.
        first: Rows that complete the run before.
        generator: The source of randomness.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    first = min(first, len(order))
    over = (len(order) - first) % size
    head, tail, rest = order[:first], order[first : first + over], order[first + over :]
    runs = [rest[start : start + size] for start in range(0, len(rest), size)]
    turns = torch.randperm(len(runs), generator=generator).tolist()
    return [*head, *(row for turn in turns for row in runs[turn]), *tail]
