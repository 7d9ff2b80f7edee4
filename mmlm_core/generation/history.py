"""The tokens that stand in each row so far, the prompt's too: what must not be repeated."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["History"]

NONE = -1
"""Stands where a row has no token."""


class History:
    """The rows' tokens, which grow by one a step.

    Args:
        ids: The prompts, padded behind. Shape: [B, P].
        lengths: Of the prompts. Shape: [B].
        capacity: Tokens that will be added at most.
    """

    def __init__(self, ids: Tensor, lengths: Tensor, capacity: int) -> None:
        room = ids.new_full((ids.shape[0], capacity), NONE)
        places = torch.arange(ids.shape[1] + capacity, device=ids.device)
        self._ids = torch.cat([ids, room], 1).masked_fill(places >= lengths.unsqueeze(1), NONE)
        self._lengths = lengths.clone()

    def add(self, tokens: Tensor) -> None:
        """Add a token to each row.

        Shape: [N].
        """
        self._ids.scatter_(1, self._lengths.unsqueeze(1), tokens.unsqueeze(1))
        self._lengths = self._lengths + 1

    def select(self, rows: Tensor) -> None:
        """Keep these rows, in this order; a row may stand several times.

        Shape: [N'].
        """
        self._ids, self._lengths = self._ids[rows], self._lengths[rows]

    def tokens(self, vocabulary: int) -> Tensor:
        """Return which tokens stand in each row. Shape: [N, V]."""
        return _among(self._ids, vocabulary)

    def repeats(self, size: int, vocabulary: int) -> Tensor:
        """Return which tokens would complete an n-gram of this size that stands in the row already. Shape: [N, V]."""
        if size > self._ids.shape[1]:  # no row becomes so long
            return torch.zeros(len(self._ids), vocabulary, dtype=torch.bool, device=self._ids.device)
        windows = self._ids.unfold(1, size, 1)
        places = self._lengths.unsqueeze(1) - torch.arange(size - 1, 0, -1, device=self._ids.device)
        latest = self._ids.gather(1, places.clamp(min=0)).masked_fill(places < 0, NONE)
        same = (windows[:, :, :-1] == latest.unsqueeze(1)).all(-1) & (latest != NONE).all(-1, keepdim=True)
        return _among(windows[:, :, -1].masked_fill(~same, NONE), vocabulary)


def _among(ids: Tensor, vocabulary: int) -> Tensor:
    """Return which tokens of the vocabulary are among ids. Shape: [N, L] -> [N, V]."""
    found = torch.zeros(ids.shape[0], vocabulary + 1, dtype=torch.bool, device=ids.device)  # the last one: no token
    return found.scatter_(1, ids.masked_fill(ids == NONE, vocabulary), True)[:, :vocabulary]
