"""What the recurrent backbones share: everything but the cell."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mmlm_core.both_ways import read_both_ways
from mmlm_core.interfaces import Backbone, Between, State
from mmlm_core.types import Features
from mmlm_recurrent.layout import Documents, lengths_of
from mmlm_recurrent.options import RecurrentOptions

__all__ = ["RecurrentBackbone", "RecurrentState"]

Memories = tuple[Tensor, ...]
"""What a layer keeps: the hidden state, and the LSTM's cell. Shape of each: [1, B, D]."""


@dataclass
class RecurrentState(State):
    """What each layer keeps of the positions that it has read.

    Attributes:
        layers: For each layer the hidden state, and the LSTM's cell. Shape of each: [1, B, D].
    """

    layers: list[Memories]

    def select(self, rows: Tensor) -> RecurrentState:
        """Return the state of these rows, in this order.

        Shape: rows [B'] -> a state of B' rows.
        """
        return RecurrentState([tuple(memory.index_select(1, rows) for memory in layer) for layer in self.layers])


class RecurrentBackbone(Backbone):
    """A stack of recurrent layers, each a torch module of one layer, so that a fusion can act between them.

    Args:
        options: The options.
        cell: `nn.GRU` or `nn.LSTM`.
        causal: Whether a position may see only itself and those before it.
    """

    def __init__(self, options: RecurrentOptions, cell: type[nn.GRU] | type[nn.LSTM], *, causal: bool) -> None:
        super().__init__()
        self.options = options
        self.width = width = options.width
        self.depth = options.depth
        self.both_ways = options.bidirectional and not causal
        self.memories = 2 if cell is nn.LSTM else 1
        hidden = width // 2 if self.both_ways else width
        self.layers = nn.ModuleList(
            cell(width, hidden, batch_first=True, bidirectional=self.both_ways) for _ in range(options.depth)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(options.depth if options.residual else 0))
        self.final = nn.LayerNorm(width) if options.residual else nn.Identity()
        self.dropout = nn.Dropout(options.dropout)

    def start(self, rows: int, capacity: int, device: torch.device, dtype: torch.dtype) -> RecurrentState:
        """Return a state of zeros; its size does not depend on the capacity."""
        del capacity
        if self.both_ways:
            raise ValueError("A backbone that reads both ways has no state: build it with `causal=True`.")
        zeros = torch.zeros(1, rows, self.width, device=device, dtype=dtype)
        return RecurrentState([(zeros,) * self.memories for _ in range(self.depth)])

    def forward(self, sequence: Features, between: Between | None = None, state: State | None = None) -> Tensor:
        """Read a sequence, and read on where there is a state.

        Shape: values [B, T, D] -> [B, T, D].
        """
        if state is not None and not isinstance(state, RecurrentState):
            raise TypeError(f"The state must be one that `start` returned, not {type(state).__name__}.")
        hidden = sequence.values
        if hidden.shape[1] == 0:
            return hidden
        reader = self._reader(sequence, state)
        for number in range(self.depth):
            hidden = self._layer(number, hidden, reader)
            if between is not None:
                hidden = between(number, hidden)
        return self.final(hidden)  # type: ignore[no-any-return]

    def _layer(self, number: int, hidden: Tensor, reader: _Reader) -> Tensor:
        layer = self.layers[number]
        if self.options.residual:
            branch: Tensor = self.dropout(reader.read(number, layer, self.norms[number](hidden)))
            return hidden + branch
        output = reader.read(number, layer, hidden)
        return output if number == self.depth - 1 else self.dropout(output)

    def _reader(self, sequence: Features, state: RecurrentState | None) -> _Reader:
        if sequence.documents is not None:
            if state is not None:
                raise ValueError("Packed documents cannot be read with a state: generate for each document in a row.")
            return _DocumentReader(Documents.of(sequence.documents, sequence.valid), self.both_ways)
        lengths = lengths_of(sequence)
        if state is not None:
            cut = None
            if self.memories == 2 and lengths is not None and sequence.values.shape[1] > 1:
                cut = lengths.clamp(min=1).cpu()  # packing takes no empty row
            return _StateReader(lengths, cut, state)
        return _RowReader(lengths if self.both_ways else None)


class _Reader:
    """How a layer goes over the positions."""

    def read(self, number: int, layer: nn.Module, hidden: Tensor) -> Tensor:
        """Return the layer's output.

        Shape: [B, T, D] -> [B, T, D].
        """
        raise NotImplementedError


class _RowReader(_Reader):
    """Whole rows. Padding trails, so that a layer that reads forwards meets it last and needs no lengths."""

    def __init__(self, lengths: Tensor | None) -> None:
        self.lengths = None if lengths is None else lengths.cpu()

    def read(self, number: int, layer: nn.Module, hidden: Tensor) -> Tensor:
        del number
        if self.lengths is None:
            return layer(hidden)[0]  # type: ignore[no-any-return]
        return read_both_ways(layer, hidden, self.lengths)


class _DocumentReader(_Reader):
    """Each document apart."""

    def __init__(self, documents: Documents, both_ways: bool) -> None:
        self.documents = documents
        self.rows = _RowReader(documents.lengths if both_ways else None)

    def read(self, number: int, layer: nn.Module, hidden: Tensor) -> Tensor:
        if len(self.documents.lengths) == 0:
            return _RowReader(None).read(number, layer, hidden)  # nothing is valid; the parameters stay in the graph
        apart = self.rows.read(number, layer, self.documents.apart(hidden))
        return self.documents.together(apart, hidden)


class _StateReader(_Reader):
    """Whole rows from where the state stands; the state is brought up to each row's last valid position."""

    def __init__(self, lengths: Tensor | None, cut: Tensor | None, state: RecurrentState) -> None:
        self.lengths = lengths
        self.cut = cut
        self.state = state

    def read(self, number: int, layer: nn.Module, hidden: Tensor) -> Tensor:
        before = self.state.layers[number]
        if self.cut is not None:  # an LSTM tells its cell of the last position alone, so each row must end there
            output, after = _packed(layer, hidden, self.cut, before)
        else:
            output, after = _run(layer, hidden, before)
        if self.lengths is not None:
            if self.cut is None and hidden.shape[1] > 1:  # a GRU's state is its output
                last = (self.lengths - 1).clamp(min=0)[:, None, None].expand(-1, 1, output.shape[-1])
                after = (output.gather(1, last).transpose(0, 1),)
            read = (self.lengths > 0)[None, :, None]
            after = tuple(torch.where(read, new, old) for new, old in zip(after, before, strict=True))
        self.state.layers[number] = after
        return output


def _run(layer: nn.Module, hidden: Tensor, before: Memories) -> tuple[Tensor, Memories]:
    output, after = layer(hidden, before[0] if len(before) == 1 else before)
    return output, after if isinstance(after, tuple) else (after,)


def _packed(layer: nn.Module, hidden: Tensor, lengths: Tensor, before: Memories) -> tuple[Tensor, Memories]:
    """Run a layer that ends at each row's last valid position; zeros come out behind it."""
    packed = pack_padded_sequence(hidden, lengths, batch_first=True, enforce_sorted=False)
    output, after = _run(layer, packed, before)  # type: ignore[arg-type]
    padded, _ = pad_packed_sequence(output, batch_first=True, total_length=hidden.shape[1])  # type: ignore[arg-type]
    return padded, after
