"""The backbone `transformer`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmlm_core.errors import MmlmError, OptionError
from mmlm_core.interfaces import Backbone, Between, State
from mmlm_core.types import Features
from mmlm_transformer.block import Block, Sight, make_norm
from mmlm_transformer.options import Positions, TransformerOptions
from mmlm_transformer.positions import PositionTable, prepare
from mmlm_transformer.state import KeyValueState, Visit

__all__ = ["Transformer"]


class Transformer(Backbone):
    """A pre-norm Transformer (Vaswani et al. 2017, in the order of Radford et al. 2019).

    Args:
        options: See `TransformerOptions`.
        causal: Whether a position sees only itself and those before it.

    Example:
        >>> backbone = Transformer(TransformerOptions(width=16, depth=1, heads=2), causal=True)
        >>> backbone(Features(torch.zeros(1, 3, 16))).shape
        torch.Size([1, 3, 16])
    """

    def __init__(self, options: TransformerOptions, *, causal: bool) -> None:
        super().__init__()
        self.width, self.depth = options.width, options.depth
        self.options, self.causal = options, causal
        self.position_table: nn.Embedding | PositionTable | None = None
        if options.positions is Positions.learned:
            self.position_table = nn.Embedding(options.max_positions, options.width)
            nn.init.normal_(self.position_table.weight, std=0.02)
        elif options.positions is Positions.sinusoidal:
            self.position_table = PositionTable(options.width, 10000.0, rotary=False)
        elif options.positions is Positions.rotary:
            self.position_table = PositionTable(options.width // options.heads, options.rotary_base, rotary=True)
        self.blocks = nn.ModuleList(Block(options, layer) for layer in range(options.depth))
        self.final_norm = make_norm(options)

    def forward(self, sequence: Features, between: Between | None = None, state: State | None = None) -> Tensor:
        """Read a sequence; with a state, read on from where it stands, without a gradient.

        Shape: values [B, T, D] -> [B, T, D].

        Raises:
            OptionError: The sequence is longer than learned positions reach.
            MmlmError: The state has no room for it, or documents are packed into a sequence that is read with a state.
        """
        if state is None:
            positions, bound = _positions(sequence)
            return self._read(sequence, positions, bound, self._look(sequence), between)
        with torch.no_grad():  # stored in place
            visit = self._visit(sequence, state)
            sight = _look_back(sequence.values.shape[1], visit)
            return self._read(sequence, visit.positions, visit.bound, sight, between)

    def start(self, rows: int, capacity: int, device: torch.device, dtype: torch.dtype) -> KeyValueState:
        """Return a fresh state.

        Args:
            rows: B.
            capacity: Positions that a row will have at most.
            device: Where its tensors lie.
            dtype: Of its tensors.
        """
        heads = self.options.kv_heads or self.options.heads
        shape = (self.depth, 2, rows, heads, capacity + 1, self.width // self.options.heads)
        return KeyValueState(torch.zeros(shape, device=device, dtype=dtype))

    def _read(
        self, sequence: Features, positions: slice | Tensor, bound: int, sight: Sight, between: Between | None
    ) -> Tensor:
        hidden = sequence.values
        if isinstance(self.position_table, PositionTable):
            vectors = self.position_table(positions, bound)
            if self.position_table.rotary:
                sight.turns = prepare(vectors)
            else:
                hidden = hidden + vectors.to(hidden.dtype)
        elif self.position_table is not None:
            hidden = hidden + self._learned(self.position_table.weight, positions, bound, sequence.mask)
        if self.training and self.options.dropout:
            hidden = functional.dropout(hidden, self.options.dropout)
        for layer, block in enumerate(self.blocks):
            hidden = block(hidden, sight)
            if between is not None:
                hidden = between(layer, hidden)
        return self.final_norm(hidden)  # type: ignore[no-any-return]

    def _visit(self, sequence: Features, state: State) -> Visit:
        if not (self.causal and isinstance(state, KeyValueState)):
            raise MmlmError("A Transformer reads with a state only where it is causal and has started that state.")
        if sequence.documents is not None:
            raise MmlmError("A Transformer with a state reads one document in each row; `documents` must be None.")
        return state.visit(sequence.values.shape[1], sequence.mask)

    def _look(self, sequence: Features) -> Sight:
        """Return what positions see. Causal order hides the padding, which trails, so that it needs no mask."""
        if sequence.documents is not None:
            documents = sequence.documents
            if sequence.mask is not None:
                documents = documents.masked_fill(~sequence.mask, -1)  # padding is a document of its own
            mask = documents.unsqueeze(1) == documents.unsqueeze(2)
            return Sight(mask=(mask.tril() if self.causal else mask).unsqueeze(1))
        if self.causal or sequence.mask is None:
            return Sight(causal=self.causal)
        empty = ~sequence.mask.any(1, keepdim=True)  # such a row sees its padding: a softmax over nothing is no number
        return Sight(mask=(sequence.mask | empty)[:, None, None])

    def _learned(self, table: Tensor, positions: slice | Tensor, bound: int, mask: Tensor | None) -> Tensor:
        limit = self.options.max_positions
        if bound > limit:
            needed, positions = _within(positions, limit, mask)
            if needed > limit:
                raise OptionError(
                    f"`max_positions` must be at least {needed}, the positions of this sequence, not {limit}."
                )
        return table[positions] if isinstance(positions, slice) else functional.embedding(positions, table)


def _positions(sequence: Features) -> tuple[slice | Tensor, int]:
    """Return the positions, which start anew in each document, and what none of them reaches."""
    time = sequence.values.shape[1]
    if sequence.documents is None:
        return slice(0, time), time
    places = torch.arange(time, device=sequence.documents.device)
    begins = functional.pad(sequence.documents.diff(dim=1) != 0, (1, 0), value=True)
    return places - (places * begins).cummax(1).values, time


def _look_back(time: int, visit: Visit) -> Sight:
    """Return what new positions see of a state: of a fresh one each other, a single one all that was before."""
    return Sight(mask=visit.mask, causal=visit.fresh and time > 1, visit=visit)


def _within(positions: slice | Tensor, limit: int, mask: Tensor | None) -> tuple[int, Tensor]:
    """Return how many positions the valid ones need, and all of them, with those of padding kept under the limit."""
    if isinstance(positions, slice):
        length = positions.stop - positions.start
        positions = torch.arange(positions.start, positions.stop, device=None if mask is None else mask.device)
        positions = positions.expand(1 if mask is None else mask.shape[0], length)
    valid = positions if mask is None else positions.masked_fill(~mask, 0)
    return int(valid.max()) + 1, positions.clamp(max=limit - 1)
