"""A backbone in which each position reads the mean of what it may see."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmlm_core.interfaces import Backbone, Between, State
from mmlm_core.types import Features
from mmlm_toys.plugin import ToyOptions
from mmlm_toys.quirk import Quirk

WIDTH, DEPTH = 8, 2


@dataclass
class ToyState(State):
    """Of each row, what it has read, summed, by layer; and of how many positions. Shape of each: [layers, D], []."""

    sums: list[Tensor]
    counts: list[Tensor]
    fault: str

    def select(self, rows: Tensor) -> "ToyState":
        if self.fault == "select_returns_nothing":
            return None  # type: ignore[return-value]
        if self.fault == "select_keeps_the_order":
            return self
        sums = [self.sums[row] for row in rows]
        counts = [self.counts[row] for row in rows]
        if self.fault == "select_forgets_the_counts":
            counts = [self.counts[place % len(self.counts)] for place in range(len(rows))]
        if self.fault == "select_forgets_a_layer":
            for place in range(len(rows)):
                sums[place] = torch.stack([self.sums[place % len(self.sums)][0], sums[place][1]])
        if self.fault != "select_shares_memory":
            sums, counts = [each.clone() for each in sums], [each.clone() for each in counts]
        return ToyState(sums, counts, self.fault)

    def reorder(self, rows: Tensor, recent: int) -> "ToyState":
        if self.fault == "reorder_keeps_the_order":
            return self
        return self.select(rows)


class ToyBackbone(Backbone):
    """Two layers, each of which begins at zero and adds a transformation of a position and that mean."""

    def __init__(self, options: ToyOptions, *, causal: bool) -> None:
        super().__init__()
        self.width, self.depth, self.causal, self.fault = WIDTH, DEPTH, causal, options.fault
        self.layers = nn.ModuleList(nn.Linear(2 * WIDTH, WIDTH) for _ in range(DEPTH))
        for layer in self.layers:
            nn.init.zeros_(layer.weight)  # hides what lies behind it until it has learnt
        self.quirk = Quirk(options.fault, WIDTH)

    def forward(self, sequence: Features, between: Between | None = None, state: State | None = None) -> Tensor:
        values = sequence.values.detach() if self.fault == "cuts_what_came_before" else sequence.values
        hidden, valid = self.quirk(values), sequence.valid.unsqueeze(-1)
        if self.fault == "ignores_the_mask":
            valid = torch.ones_like(valid)
        sees = self._sees(sequence).to(hidden.dtype)
        sums, counts = torch.zeros(len(hidden), DEPTH, WIDTH), torch.zeros(len(hidden))
        if isinstance(state, ToyState):
            sums, counts = torch.stack(state.sums).clone(), torch.stack(state.counts).clone()
        for index, layer in enumerate(self.layers):
            count = (sees @ valid.to(hidden.dtype) + counts.view(-1, 1, 1)).clamp(min=1)
            mean = (sees @ (hidden * valid) + sums[:, index].unsqueeze(1)) / count
            if isinstance(state, ToyState):
                stored = hidden if self.fault == "stores_padding" else hidden * valid
                sums[:, index] += stored.sum(1) * (self.fault != "forgets_a_layer" or index == 0)
            hidden = hidden + torch.tanh(layer(torch.cat([hidden, mean], -1)))
            skips = (self.fault == "skips_between" and index == 0) or (self.fault == "steps_past_the_fusion" and state)
            if between is not None and not skips:
                made = between(index, hidden)
                hidden = hidden if self.fault == "drops_between" else made
        if isinstance(state, ToyState):
            for row in range(len(hidden)):
                state.sums[row].copy_(sums[row].detach())
                state.counts[row].add_(valid[row].sum())
        return hidden

    def _sees(self, sequence: Features) -> Tensor:
        """Return which positions each may see. Shape: [1 or B, T, T]."""
        length = sequence.values.shape[1]
        sees = torch.ones(1, length, length, dtype=torch.bool)
        ahead = self.fault == "looks_ahead" or (self.fault == "looks_ahead_in_training" and self.training)
        if (self.causal and not ahead) or self.fault == "never_looks_ahead":
            sees = sees.tril()
        if sequence.documents is not None and self.fault != "ignores_documents":
            sees = sees & (sequence.documents.unsqueeze(1) == sequence.documents.unsqueeze(2))
        return sees

    def start(self, rows: int, capacity: int, device: torch.device, dtype: torch.dtype) -> ToyState:
        del capacity, device, dtype
        first = 1.0 if self.fault == "starts_with_something" else 0.0
        return ToyState(
            [torch.full((DEPTH, WIDTH), first) for _ in range(rows)], [torch.zeros(()) for _ in range(rows)], self.fault
        )
