"""Recurrent layers that read rows both ways, each row back from its own end."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

__all__ = ["read_both_ways"]


def read_both_ways(layer: nn.Module, hidden: Tensor, lengths: Tensor | None) -> Tensor:
    """Return what a layer of both directions gives; the way back begins at each row's last valid position.

    Torch's own way for rows of different lengths is to pack them. On a CPU its steps are slow then, and an LSTM is not
    oneDNN's; there each direction is run by itself, the way back over rows that are turned within their length.

    Args:
        layer: An `nn.GRU` or `nn.LSTM` of one layer, with `batch_first`, `bidirectional` and biases.
        hidden: Padding trails. Shape: [B, T, D].
        lengths: Valid positions of each row, best on the CPU. Shape: [B]. None: all are.

    Shape: -> [B, T, 2 * hidden_size]; what is not valid is finite and otherwise undefined.

    Raises:
        TypeError: It is another layer.
    """
    if not isinstance(layer, nn.GRU | nn.LSTM):
        raise TypeError(f"`layer` must be an nn.GRU or nn.LSTM, not {type(layer).__name__}.")
    if lengths is None:
        return layer(hidden)[0]  # type: ignore[no-any-return]
    if hidden.device.type == "cpu":
        return _turned(layer, hidden, lengths)
    packed = pack_padded_sequence(hidden, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
    return pad_packed_sequence(layer(packed)[0], batch_first=True, total_length=hidden.shape[1])[0]


def _turned(layer: nn.GRU | nn.LSTM, hidden: Tensor, lengths: Tensor) -> Tensor:
    places = torch.arange(hidden.shape[1])
    mirrored = lengths.unsqueeze(1) - 1 - places
    turn = mirrored.where(mirrored >= 0, places).unsqueeze(-1)  # padding stays where it is
    ahead, back = (tuple(weights) for weights in layer.all_weights)
    reads = _one_way(layer, hidden, ahead)
    turned = _one_way(layer, hidden.gather(1, turn.expand_as(hidden)), back)
    return torch.cat([reads, turned.gather(1, turn.expand_as(turned))], -1)


def _one_way(layer: nn.GRU | nn.LSTM, hidden: Tensor, weights: tuple[Tensor, ...]) -> Tensor:
    """Run one direction, with the function of torch that the layer itself calls."""
    zeros = hidden.new_zeros(1, len(hidden), layer.hidden_size)
    last = (True, 1, 0.0, layer.training, False, True)  # biases, layers, dropout, training, both ways, batch first
    if isinstance(layer, nn.LSTM):
        return torch.lstm(hidden, (zeros, zeros), weights, *last)[0]
    return torch.gru(hidden, zeros, weights, *last)[0]
