"""One layer: attention and feed-forward, each normalised before and added to its input."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmlm_core.attention import attend
from mmlm_transformer.options import Activation, Norm, TransformerOptions
from mmlm_transformer.positions import rotate
from mmlm_transformer.state import Visit

__all__ = ["Block", "Sight", "make_norm"]


@dataclass
class Sight:
    """What the positions of a sequence see, the same in all layers.

    Attributes:
        turns: Turns of rotary positions, as `prepare` returns them; None: queries and keys are not turned.
        mask: True where a position sees another. Shape: broadcastable to [B, 1, T, T']. None: see `causal`.
        causal: Each position sees itself and those before it; else all.
        visit: Where a state is read and extended.
    """

    turns: Tensor | None = None
    mask: Tensor | None = None
    causal: bool = False
    visit: Visit | None = None


class Block(nn.Module):
    """One pre-norm layer.

    Args:
        options: The backbone's options.
        layer: Its number.
    """

    def __init__(self, options: TransformerOptions, layer: int) -> None:
        super().__init__()
        self.layer = layer
        self.heads = options.heads
        self.kv_heads = options.kv_heads or options.heads
        self.head_width = options.width // options.heads
        self.gated = options.activation is Activation.swiglu
        self.dropout = options.dropout
        hidden = options.hidden_width
        self.attention_norm = make_norm(options)
        self.qkv = _linear(options.width, (self.heads + 2 * self.kv_heads) * self.head_width, options.bias)
        self.attention_out = _linear(options.width, options.width, options.bias)
        self.feed_forward_norm = make_norm(options)
        self.up = _linear(options.width, 2 * hidden if self.gated else hidden, options.bias)
        self.down = _linear(hidden, options.width, options.bias)
        for residual in (self.attention_out, self.down):
            nn.init.normal_(residual.weight, std=0.02 / (2 * options.depth) ** 0.5)

    def forward(self, hidden: Tensor, sight: Sight) -> Tensor:
        """Return what the next layer reads.

        Shape: [B, T, D] -> [B, T, D].
        """
        hidden = hidden + self._drop(self._attend(self.attention_norm(hidden), sight))
        inner = self.up(self.feed_forward_norm(hidden))
        if self.gated:
            gate, inner = inner.chunk(2, -1)
            inner = functional.silu(gate) * inner
        else:
            inner = functional.gelu(inner)
        return hidden + self._drop(self.down(inner))

    def _attend(self, hidden: Tensor, sight: Sight) -> Tensor:
        batch, time, width = hidden.shape
        heads = self.qkv(hidden).view(batch, time, -1, self.head_width)
        if sight.turns is None:
            queries, keys, values = heads.split_with_sizes((self.heads, self.kv_heads, self.kv_heads), 2)
        else:
            turned, values = heads.split_with_sizes((self.heads + self.kv_heads, self.kv_heads), 2)
            queries, keys = rotate(turned, sight.turns).split_with_sizes((self.heads, self.kv_heads), 2)
        queries, keys, values = queries.transpose(1, 2), keys.transpose(1, 2), values.transpose(1, 2)
        if sight.visit is not None:
            keys, values = sight.visit.extend(self.layer, keys, values)
        read = attend(queries, keys, values, sight.mask, causal=sight.causal)
        return self.attention_out(read.transpose(1, 2).reshape(batch, time, width))  # type: ignore[no-any-return]

    def _drop(self, values: Tensor) -> Tensor:
        return functional.dropout(values, self.dropout) if self.training and self.dropout else values


def make_norm(options: TransformerOptions) -> nn.Module:
    """Return the normalisation that the options name."""
    if options.norm is Norm.rmsnorm:
        return nn.RMSNorm(options.width, eps=1e-5)
    return nn.LayerNorm(options.width, bias=options.bias)


def _linear(inputs: int, outputs: int, bias: bool) -> nn.Linear:
    """Return a linear layer whose weight lies in memory input by input.

    A CPU multiplies one row by it up to twice as fast as by a row-major one, and many rows as fast; the shape, the
    saved values and what may be done with the layer (quantisation, adapters) are those of any `nn.Linear`.
    """
    linear = nn.Linear(inputs, outputs, bias=bias)
    linear.weight = nn.Parameter(torch.empty(inputs, outputs).normal_(std=0.02).t())
    if linear.bias is not None:
        nn.init.zeros_(linear.bias)
    return linear
