"""The Transformer's state: keys and values of the positions that it has read."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmlm_core.errors import MmlmError
from mmlm_core.interfaces import State

__all__ = ["KeyValueState", "Visit"]


@dataclass
class Visit:
    """How one forward pass reads and extends a state; one of the two ways to store is set.

    Attributes:
        positions: Where the new positions stand: a slice where that is the same in all rows, else Shape: [B, T].
        bound: No position reaches this.
        fresh: Nothing was read before, so that the new positions see one another only.
        mask: Which of the stored positions a new one sees; None: all. Shape: [T, end] or [B, 1, T, end].
        seen: Keys and values by layer, up to the longest row's new length. Shape of each: [B, K, end, D].
        slots: Where keys and values are stored, by layer. Shape of each: [B, K, T, D].
        places: Where they are stored in `stores`, by row. Shape: [B, T].
        stores: All places of keys and values, by layer. Shape of each: [B, K, capacity + 1, D].
    """

    positions: slice | Tensor
    bound: int
    fresh: bool
    mask: Tensor | None
    seen: list[tuple[Tensor, ...]]
    slots: list[tuple[Tensor, ...]] | None = None
    places: tuple[Tensor, Tensor] | None = None
    stores: Tensor | None = None

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store a layer's new keys and values, and return those that the new positions may see.

        Shape: [B, K, T, D] each -> [B, K, end, D] each; the new ones themselves where nothing was read before.
        """
        if self.slots is not None:
            slot = self.slots[layer]
            slot[0].copy_(keys)
            slot[1].copy_(values)
        elif self.places is not None and self.stores is not None:
            rows, places = self.places
            store = self.stores[layer]
            store[0][rows, :, places] = keys.transpose(1, 2).to(store.dtype)
            store[1][rows, :, places] = values.transpose(1, 2).to(store.dtype)
        if self.fresh:
            return keys, values
        return self.seen[layer][0], self.seen[layer][1]


class KeyValueState(State):
    """Static buffers of keys and values; rows may have different lengths.

    While all rows have the same length, it is a number of the host: a step writes a slice and needs no mask. What lies
    behind a row's length is never seen.

    Args:
        buffer: Keys and values by layer, with one spare place at the end. Shape: [depth, 2, B, K, capacity + 1, D].
        longest: The longest row's length.
        lengths: The rows' lengths where they differ. Shape: [B].
    """

    def __init__(self, buffer: Tensor, longest: int = 0, lengths: Tensor | None = None) -> None:
        self._buffer, self._longest, self._lengths = buffer, longest, lengths

    @property
    def capacity(self) -> int:
        """Positions that a row may have."""
        return self._buffer.shape[4] - 1

    def select(self, rows: Tensor) -> KeyValueState:
        """Return the state of these rows, in this order. See `State.select`.

        Shape: rows [B'] -> a state of B' rows.
        """
        depth, two, _, heads, places, width = self._buffer.shape
        chosen = self._buffer.new_zeros(depth, two, rows.shape[0], heads, places, width)
        chosen[..., : self._longest, :] = self._buffer[..., : self._longest, :].index_select(2, rows)
        lengths = None if self._lengths is None else self._lengths.index_select(0, rows)
        return KeyValueState(chosen, self._longest, lengths)

    def reorder(self, rows: Tensor, recent: int) -> KeyValueState:
        """Move the last positions within the buffer. See `State.reorder`.

        Shape: rows [B] -> this state.
        """
        shortest = self._longest if self._lengths is None else int(self._lengths.min())
        for layer in self._buffer[..., max(0, shortest - recent) : self._longest, :]:
            layer.copy_(layer.index_select(1, rows))
        return self

    def visit(self, time: int, mask: Tensor | None) -> Visit:
        """Make room for new positions, and say how they are stored and what they see.

        Args:
            time: T.
            mask: Which of the new positions are valid; padding trails. Shape: [B, T]. None: all are.

        Raises:
            MmlmError: They are more than the state has room for.
        """
        if mask is not None and bool(mask.all()):
            mask = None
        if mask is None and self._lengths is None:
            return self._visit_even(time)
        return self._visit_ragged(time, mask)

    def _visit_even(self, time: int) -> Visit:
        begin, end = self._longest, self._longest + time
        self._reach(end)
        mask = None
        if begin and time > 1:
            places = torch.arange(end, device=self._buffer.device)
            mask = places <= places[begin:].unsqueeze(1)
        slots = _by_layer(self._buffer[..., begin:end, :])
        return Visit(slice(begin, end), end, not begin, mask, _by_layer(self._buffer[..., :end, :]), slots)

    def _visit_ragged(self, time: int, mask: Tensor | None) -> Visit:
        rows, device, before = self._buffer.shape[2], self._buffer.device, self._longest
        lengths = torch.full((rows,), before, device=device) if self._lengths is None else self._lengths
        positions = lengths.unsqueeze(1) + torch.arange(time, device=device)
        if mask is None:
            places, self._lengths = positions, lengths + time
            self._reach(before + time)
        else:
            places, self._lengths = positions.where(mask, self.capacity), lengths + mask.sum(1)
            self._reach(int(self._lengths.max()))
        seen = None
        if before:
            seen = (torch.arange(self._longest, device=device) <= positions.unsqueeze(-1)).unsqueeze(1)
        return Visit(
            positions,
            before + time,
            not before,
            seen,
            _by_layer(self._buffer[..., : self._longest, :]),
            places=(torch.arange(rows, device=device).unsqueeze(1), places),
            stores=self._buffer,
        )

    def _reach(self, longest: int) -> None:
        if longest > self.capacity:
            raise MmlmError(
                f"`capacity` of a state must be at least {longest}, the positions to read, not {self.capacity}."
            )
        self._longest = longest


def _by_layer(buffer: Tensor) -> list[tuple[Tensor, ...]]:
    return [layer.unbind(0) for layer in buffer.unbind(0)]
