"""The backbone `NEWNAME`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from mmlm_core.interfaces import Backbone, Between, State
from mmlm_core.types import Features
from torch import Tensor, nn

from NEWPACKAGE.plugin import NEWCLASSOptions

__all__ = ["NEWCLASSBackbone"]


@dataclass
class _Sums(State):
    """What was read: per layer the sum, and how many positions that were.

    Attributes:
        totals: Shape: [layers, B, D].
        counts: Shape: [B].
    """

    totals: Tensor
    counts: Tensor

    def select(self, rows: Tensor) -> _Sums:
        """Return the state of these rows, in this order."""
        return _Sums(self.totals[:, rows], self.counts[rows])


class NEWCLASSBackbone(Backbone):
    """Each layer adds to each position a function of it and of the mean of the positions up to it.

    Args:
        options: The options.
        causal: Whether a position may see only itself and those before it; it can read in no other way.
    """

    def __init__(self, options: NEWCLASSOptions, *, causal: bool) -> None:
        super().__init__()
        del causal  # the traits provide nothing else
        self.width, self.depth = options.width, options.depth
        self.layers = nn.ModuleList(nn.Linear(2 * self.width, self.width) for _ in range(self.depth))
        self.dropout = nn.Dropout(options.dropout)

    def forward(self, sequence: Features, between: Between | None = None, state: State | None = None) -> Tensor:
        """Read a sequence, and read on where there is a state.

        Shape: values [B, T, D] -> [B, T, D].
        """
        hidden, valid = sequence.values, sequence.valid.unsqueeze(-1)
        read = state if isinstance(state, _Sums) else self.start(len(hidden), 0, hidden.device, hidden.dtype)
        sees = _sees(sequence)
        counts = sees @ valid.to(hidden.dtype) + read.counts.view(-1, 1, 1)
        totals = []
        for number, layer in enumerate(self.layers):
            kept = hidden.masked_fill(~valid, 0)
            mean = (sees @ kept + read.totals[number].unsqueeze(1)) / counts.clamp(min=1)
            totals.append(read.totals[number] + kept.sum(1))
            hidden = hidden + self.dropout(torch.tanh(layer(torch.cat([hidden, mean], dim=-1))))
            if between is not None:
                hidden = between(number, hidden)
        read.totals, read.counts = torch.stack(totals), read.counts + valid.squeeze(-1).sum(1)
        return hidden

    def start(self, rows: int, capacity: int, device: torch.device, dtype: torch.dtype) -> _Sums:
        """Return the state of rows of which nothing is read; its size does not depend on the capacity."""
        del capacity
        totals = torch.zeros(self.depth, rows, self.width, device=device, dtype=dtype)
        return _Sums(totals, torch.zeros(rows, device=device, dtype=dtype))


def _sees(sequence: Features) -> Tensor:
    """Return 1 where a position reads another: those up to it, of its own document.

    Shape: [B or 1, T, T].
    """
    length = sequence.values.shape[1]
    sees = torch.ones(1, length, length, dtype=torch.bool, device=sequence.values.device).tril()
    if sequence.documents is not None:
        sees = sees & (sequence.documents.unsqueeze(1) == sequence.documents.unsqueeze(2))
    return sees.to(sequence.values.dtype)
