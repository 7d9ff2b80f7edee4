"""Arranges rows before they are cut into batches: those of like length together, those of some classes more often."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["alike", "drawn", "in_runs"]


def alike(classes: Tensor, strength: float) -> Tensor:
    """Return shares by which classes are more alike in number: one of n rows gets n ** (1 - strength).

    Args:
        classes: The class of each row, from 0. Shape: [rows].
        strength: 0: each row once; 1: each class as often as any other.

    Shape: -> [classes].
    """
    counts = torch.bincount(classes)
    return counts.double().pow(1 - strength).masked_fill(counts == 0, 0)


def drawn(classes: Tensor, shares: Tensor, generator: torch.Generator) -> Tensor:
    """Return as many rows as there are, of each class as many as its share says, in a random order.

    Within a class no row is drawn more than once more often than another.

    Args:
        classes: The class of each row, from 0. Shape: [rows].
        shares: Of each class, in any unit; 0 where it has no row. Shape: [classes].
        generator: The source of randomness.

    Shape: -> [rows], indices.
    """
    exact = shares.double() / shares.sum() * len(classes)
    wanted = exact.floor().long()
    rest = len(classes) - int(wanted.sum())
    wanted[(exact - wanted).argsort(descending=True, stable=True)[:rest]] += 1
    taken = []
    for number, count in enumerate(wanted.tolist()):
        if count:
            rows = (classes == number).nonzero().squeeze(1)
            order = rows[torch.randperm(len(rows), generator=generator)]
            taken.append(order.repeat(-(-count // len(rows)))[:count])
    every = torch.cat(taken)
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
