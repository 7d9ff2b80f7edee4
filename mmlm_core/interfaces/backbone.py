"""The contract of backbones, and of the state that lets them step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from mmlm_core.tokens import TokenTable
from mmlm_core.types import Features

__all__ = ["Backbone", "Between", "State"]

Between = Callable[[int, Tensor], Tensor]
"""Called with the layer's number and its output [B, T, D] after each layer; returns what the next layer reads."""


class State(ABC):
    """What a backbone keeps of the positions it has read: an attention cache, a recurrent state.

    Rows may have read different numbers of positions.
    """

    @abstractmethod
    def select(self, rows: Tensor) -> State:
        """Return the state of these rows, in this order; a row may stand several times (beams).

        It goes on in place of this one, which is used up: what it held may be overwritten.

        Shape: rows [B'] -> a state of B' rows.
        """

    def reorder(self, rows: Tensor, recent: int) -> State:
        """Return the state of these rows, for beams, which have much in common; by default what `select` returns.

        Each row goes on from one that has read as many positions, and the same ones but for the last, so that a state
        which keeps each position by itself need move no others. As with `select`, this one is used up.

        Args:
            rows: Shape: [B].
            recent: The last positions in which a row and the one that it goes on from may differ.
        """
        return self.select(rows)


class Backbone(nn.Module, ABC):
    """A sequence model of one width.

    Built as `Class(options, causal=...)`: whether a position may see only itself and those before it. The builder
    passes what the head asks for, within what the component's traits provide.

    Attributes:
        width: D.
        depth: Number of layers: how often `between` is called.
        table: The token table that a pretrained backbone brings; None: the builder makes one.
        steps: Whether it can start a state and read on from it, as its trait `cache` says; else a generation reads
            everything anew for each token.
    """

    width: int
    depth: int
    table: TokenTable | None = None
    steps: bool = True

    @abstractmethod
    def forward(self, sequence: Features, between: Between | None = None, state: State | None = None) -> Tensor:
        """Read a sequence; with a state, read on from where the state stands, and bring it up to date in place.

        In each row the valid positions come first and padding trails. Padding changes no valid output; what comes out
        at an invalid position is finite and otherwise undefined. `sequence.documents` are kept apart. The first call
        with a fresh state may have many positions (rows of different length); later calls have any number too.

        Shape: values [B, T, D] -> [B, T, D].
        """

    def start(self, rows: int, capacity: int, device: torch.device, dtype: torch.dtype) -> State:
        """Return a fresh state, for a causal backbone that steps.

        Args:
            rows: B.
            capacity: Positions that a row will have at most.
            device: Where its tensors lie.
            dtype: Of its tensors.
        """
        raise NotImplementedError(f"{type(self).__name__} keeps no state: its `steps` must be False.")
