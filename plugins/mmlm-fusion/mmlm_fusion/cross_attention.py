"""The fusion `cross_attention`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmlm_core.attention import attend
from mmlm_core.errors import CompositionError, OptionError, did_you_mean, one_of
from mmlm_core.interfaces import Fusion
from mmlm_core.types import QUERIES, Features, Joined, Memory, join
from mmlm_fusion.options import CrossAttentionOptions

__all__ = ["CrossAttention"]


class CrossAttention(Fusion):
    """Lets the sequence attend to the inputs after the layers of the backbone.

    Plain, it is the decoder's second attention of the original Transformer (Vaswani et al. 2017); gated, with a
    feed-forward layer behind, it is Flamingo's (Alayrac et al. 2022), which leaves a pretrained backbone as it was when
    training begins. Inputs that the head reads, or that `keep` names, stay in the sequence.

    Args:
        options: See `CrossAttentionOptions`.
        width: D of the backbone.
        depth: Layers of the backbone.
        modalities: Names of the inputs.
        reads: Segments that the head reads.

    Raises:
        OptionError: `heads` does not divide the width, or `keep` names no input.
        CompositionError: Every input stays in the sequence, so that nothing is attended to; or there is no layer.
    """

    def __init__(
        self,
        options: CrossAttentionOptions,
        *,
        width: int,
        depth: int,
        modalities: tuple[str, ...],
        reads: tuple[str, ...],
    ) -> None:
        super().__init__()
        _check(options, width, modalities)
        stay = {*options.keep, *reads}
        self.attended = tuple(name for name in modalities if name not in stay)
        if not self.attended:
            raise CompositionError(
                "`fusion=cross_attention` has nothing to attend to: every input stays in the sequence, because the "
                "head reads it or `fusion.keep` names it. Use `fusion=concat`, or add an input."
            )
        if not depth:
            raise CompositionError(
                "`fusion=cross_attention` acts after the layers of the backbone, and this backbone has none. "
                "Use `fusion=concat`, or a backbone with layers."
            )
        self.heads = options.heads
        self.positions = options.positions
        chosen = {layer for layer in range(depth) if (depth - 1 - layer) % options.every == 0}
        self.memory_norms = nn.ModuleDict({name: nn.LayerNorm(width) for name in self.attended})
        self.keys_values = nn.Linear(width, 2 * width * len(chosen), bias=False)
        self.layers = nn.ModuleDict({str(layer): _Attention(options, width) for layer in sorted(chosen)})

    def join(self, inputs: Mapping[str, Features], queries: Features | None) -> tuple[Joined, ...]:
        """See `Fusion.join`."""
        parts = {name: part for name, part in sorted(inputs.items()) if name not in self.attended}
        return (join(parts if queries is None else {**parts, QUERIES: queries}),)

    def remember(self, inputs: Mapping[str, Features]) -> Memory:
        """Return the keys and values of every layer, computed in one product.

        Shape: `keys`, `values` [B, layers, H, S, D / H]; `mask` [B, 1, 1, S] and `any` [B, 1, 1], where rows differ.
        """
        parts = [inputs[name] for name in self.attended]
        normed = [self.memory_norms[name](inputs[name].values) for name in self.attended]
        if self.positions:
            normed = [values + _sinusoids(values, part.mask) for values, part in zip(normed, parts, strict=True)]
        values = torch.cat(normed, dim=1)
        rows, length, width = values.shape
        split = self.keys_values(values).view(rows, length, len(self.layers), 2, self.heads, width // self.heads)
        keys, content = split.permute(3, 0, 2, 4, 1, 5).unbind(0)
        memory = {"keys": keys, "values": content}
        if any(part.mask is not None for part in parts):
            mask = torch.cat([part.valid for part in parts], dim=1)
            exists = mask.any(1)
            # A row without inputs attends to everything, so that its softmax is a number, and its result is set to 0.
            memory["mask"] = (mask | ~exists.unsqueeze(1)).view(rows, 1, 1, length)
            memory["any"] = exists.view(rows, 1, 1)
        return memory

    def between(self, layer: int, hidden: Tensor, memory: Memory) -> Tensor:
        """See `Fusion.between`.

        Shape: hidden [B, T, D] -> [B, T, D].
        """
        name = str(layer)
        if name not in self.layers:
            return hidden
        place = list(self.layers).index(name)
        keys, values = memory["keys"][:, place], memory["values"][:, place]
        return self.layers[name](hidden, keys, values, memory.get("mask"), memory.get("any"))  # type: ignore[no-any-return]


class _Attention(nn.Module):
    """One pre-norm attention over the memory, gated and followed by a feed-forward layer where the options say so."""

    def __init__(self, options: CrossAttentionOptions, width: int) -> None:
        super().__init__()
        self.heads = options.heads
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.dropout = nn.Dropout(options.dropout)
        self.gates: nn.Parameter | None = None
        self.feed_forward: nn.Module | None = None
        if options.gated:
            self.gates = nn.Parameter(torch.zeros(2))
            self.feed_forward = nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
            )

    def forward(
        self, hidden: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, exists: Tensor | None
    ) -> Tensor:
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


def _sinusoids(values: Tensor, mask: Tensor | None) -> Tensor:
    """Return the sinusoids of the positions (Vaswani et al. 2017).

    Padding, which may stand between items, is not counted.

    Shape: values [B, T, D], mask [B, T] -> [T, D], or [B, T, D] where there is a mask.
    """
    length, width = values.shape[1:]
    places = torch.arange(length, device=values.device) if mask is None else mask.cumsum(1) - 1
    half = torch.arange(0, width, 2, device=values.device, dtype=torch.float32)
    angles = places.unsqueeze(-1) * torch.exp(half * (-math.log(10000) / width))
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)[..., :width].to(values.dtype)


def _check(options: CrossAttentionOptions, width: int, modalities: tuple[str, ...]) -> None:
    if width % options.heads:
        raise OptionError(f"`fusion.heads` must divide the backbone's width, {width}; {options.heads} does not.")
    for name in options.keep:
        if name not in modalities:
            raise OptionError(f"`fusion.keep` names `{name}`, which is no input."
                              f"{did_you_mean(name, modalities)}{one_of(modalities)}")  # fmt: skip
