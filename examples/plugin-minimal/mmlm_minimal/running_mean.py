"""A backbone that averages what it has read."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmlm_core.interfaces import Backbone, Between, State
from mmlm_core.types import Features
from mmlm_minimal.plugin import RunningMeanOptions


@dataclass
class Sums(State):
    """Per layer, the sum of what each row has read, and how many positions that were.

    Shape: sums [layers, B, D]; counts [B].
    """

    sums: Tensor
    counts: Tensor

    def select(self, rows: Tensor) -> "Sums":
        """See `State.select`."""
        return Sums(self.sums[:, rows], self.counts[rows])


class RunningMean(Backbone):
    """Each layer adds, to each position, a transformation of the mean of the positions up to it."""

    def __init__(self, options: RunningMeanOptions, *, causal: bool) -> None:
        super().__init__()
        del causal  # it can read in no other way, as its traits say
        self.width, self.depth = options.width, options.depth
        self.layers = nn.ModuleList(nn.Linear(2 * options.width, options.width) for _ in range(options.depth))

    def forward(self, sequence: Features, between: Between | None = None, state: State | None = None) -> Tensor:
        """See `Backbone.forward`."""
        hidden, valid = sequence.values, sequence.valid.unsqueeze(-1)
        sums = state.sums if isinstance(state, Sums) else hidden.new_zeros(self.depth, hidden.shape[0], self.width)
        before = state.counts if isinstance(state, Sums) else hidden.new_zeros(hidden.shape[0])
        new_sums = []
        for index, layer in enumerate(self.layers):
            total, count = _sums(hidden * valid, valid, sequence.documents)
            mean = (total + sums[index].unsqueeze(1)) / (count + before.view(-1, 1, 1)).clamp(min=1)
            new_sums.append(sums[index] + (hidden * valid).sum(1))
            hidden = hidden + torch.tanh(layer(torch.cat([hidden, mean], -1)))
            hidden = hidden if between is None else between(index, hidden)
        if isinstance(state, Sums):
            state.sums, state.counts = torch.stack(new_sums), before + valid.squeeze(-1).sum(1)
        return hidden

    def start(self, rows: int, capacity: int, device: torch.device, dtype: torch.dtype) -> Sums:
        """See `Backbone.start`."""
        del capacity
        zeros = {"device": device, "dtype": dtype}
        return Sums(torch.zeros(self.depth, rows, self.width, **zeros), torch.zeros(rows, **zeros))


def _sums(hidden: Tensor, valid: Tensor, documents: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the sum and the number of the valid positions up to each, within its document."""
    length = hidden.shape[1]
    sees = torch.ones(length, length, dtype=torch.bool, device=hidden.device).tril().unsqueeze(0)
    if documents is not None:
        sees = sees & (documents.unsqueeze(1) == documents.unsqueeze(2))
    weights = sees.to(hidden.dtype)
    return weights @ hidden, weights @ valid.to(hidden.dtype)
