"""The attention of the sequence to what a fusion remembers."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mmlm_core.attention import attend

__all__ = ["Reading", "sinusoids"]


class Reading(nn.Module):
    """One pre-norm attention, added to what reads; gated and followed by a feed-forward layer where it is asked for.

    Args:
        width: D.
        heads: H.
        dropout: Share of what is added that is dropped in training.
        gated: Scale what is added by learned gates that begin at 0, with a feed-forward layer behind (Flamingo).
    """

    def __init__(self, width: int, heads: int, dropout: float, gated: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.gates: nn.Parameter | None = None
        self.feed_forward: nn.Module | None = None
        if gated:
            self.gates = nn.Parameter(torch.zeros(2))
            self.feed_forward = nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
            )

    def forward(
        self, hidden: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, exists: Tensor | None
    ) -> Tensor:
        """Return the hidden states with what they read; a row that has nothing to read gets zeros added.

        Shape: hidden [B, T, D]; keys, values [B, H, S, D / H]; mask [B, 1, 1, S] and exists [B, 1, 1], or None
            -> [B, T, D].
        """
        rows, length, width = hidden.shape
        queries = self.query(self.norm(hidden)).view(rows, length, self.heads, -1).transpose(1, 2)
        read = attend(queries, keys, values, mask)
        read = self.dropout(self.output(read.transpose(1, 2).reshape(rows, length, width)))
        if exists is not None:
            read = torch.where(exists, read, 0.0)
        if self.gates is None or self.feed_forward is None:
            return hidden + read
        attended, fed = self.gates.tanh().unbind()
        hidden = hidden + attended * read
        return hidden + fed * self.dropout(self.feed_forward(hidden))  # type: ignore[no-any-return]


def sinusoids(values: Tensor, mask: Tensor | None) -> Tensor:
    """Return the sinusoids of the positions (Vaswani et al. 2017).

    Padding, which may stand between items, is not counted.

    Shape: values [B, T, D], mask [B, T] -> [T, D], or [B, T, D] where there is a mask.
    """
    length, width = values.shape[1:]
    places = torch.arange(length, device=values.device) if mask is None else mask.cumsum(1) - 1
    half = torch.arange(0, width, 2, device=values.device, dtype=torch.float32)
    angles = places.unsqueeze(-1) * torch.exp(half * (-math.log(10000) / width))
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)[..., :width].to(values.dtype)
