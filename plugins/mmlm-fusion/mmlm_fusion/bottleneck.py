"""The fusion `bottleneck`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmlm_core.attention import attend
from mmlm_core.interfaces import Fusion
from mmlm_core.types import QUERIES, Features, Joined, Memory, join
from mmlm_fusion.options import BottleneckOptions
from mmlm_fusion.outside import check_heads, chosen_layers, outside
from mmlm_fusion.reading import Reading, sinusoids

__all__ = ["Bottleneck"]


class Bottleneck(Fusion):
    """Lets the inputs exchange through a few shared tokens, and the sequence read these after its layers.

    As in the multimodal bottleneck Transformer (Nagrani et al. 2021), each input has layers of its own, which read its
    positions and the tokens; what they make of the tokens is averaged over the inputs that a row has, so that one input
    learns of another through the tokens alone. There is a layer of exchange for each layer of the backbone after which
    the sequence attends to the tokens. What is exchanged never depends on the sequence, so that a causal backbone stays
    causal. Inputs that the head reads, or that `keep` names, stay in the sequence.

    Args:
        options: See `BottleneckOptions`.
        width: D of the backbone.
        depth: Layers of the backbone.
        modalities: Names of the inputs.
        reads: Segments that the head reads.

    Raises:
        OptionError: `heads` does not divide the width, or `keep` names no input.
        CompositionError: Every input stays in the sequence, so that nothing is exchanged; or there is no layer.
    """

    def __init__(
        self, options: BottleneckOptions, *, width: int, depth: int, modalities: tuple[str, ...], reads: tuple[str, ...]
    ) -> None:
        super().__init__()
        check_heads(options.heads, width)
        self.exchanged = outside("bottleneck", "exchange", options.keep, modalities, reads)
        layers = [str(layer) for layer in chosen_layers("bottleneck", depth, options.every)]
        self.heads = options.heads
        self.tokens = nn.Parameter(torch.randn(options.tokens, width) * 0.02)
        self.input_norms = nn.ModuleDict({name: nn.LayerNorm(width) for name in self.exchanged})
        self.exchanges = nn.ModuleList(
            nn.ModuleDict({name: _Stream(width, options.heads, options.dropout) for name in self.exchanged})
            for _ in layers
        )
        self.token_norms = nn.ModuleList(nn.LayerNorm(width) for _ in layers)
        self.keys_values = nn.ModuleList(nn.Linear(width, 2 * width, bias=False) for _ in layers)
        self.readings = nn.ModuleDict({layer: Reading(width, options.heads, options.dropout) for layer in layers})

    def join(self, inputs: Mapping[str, Features], queries: Features | None) -> tuple[Joined, ...]:
        """See `Fusion.join`."""
        parts = {name: part for name, part in sorted(inputs.items()) if name not in self.exchanged}
        return (join(parts if queries is None else {**parts, QUERIES: queries}),)

    def remember(self, inputs: Mapping[str, Features]) -> Memory:
        """Return keys and values of the tokens after each exchange, N tokens.

        Shape: `keys`, `values` [B, layers, H, N, D / H]; `any` [B, 1, 1], where rows differ.
        """
        streams, shares, seen = {}, {}, {}
        for name in self.exchanged:
            part = inputs[name]
            normed = self.input_norms[name](part.values)
            streams[name] = normed + sinusoids(normed, part.mask)
            shares[name] = part.valid.any(1).view(-1, 1, 1).to(normed.dtype)
            tokens = part.valid.new_ones(len(normed), len(self.tokens))
            seen[name] = None if part.mask is None else torch.cat([part.mask, tokens], dim=1)[:, None, None]
        present = torch.stack(list(shares.values())).sum(0).clamp(min=1)
        tokens = self.tokens.expand(len(present), -1, -1)
        keys, values = [], []
        for exchange, norm, keys_values in zip(self.exchanges, self.token_norms, self.keys_values, strict=True):
            told = []
            for name, stream in exchange.items():  # type: ignore[operator]
                streams[name], heard = stream(streams[name], tokens, seen[name])
                told.append(heard * shares[name])
            tokens = torch.stack(told).sum(0) / present
            split = keys_values(norm(tokens)).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
            keys.append(split[0])
            values.append(split[1])
        memory = {"keys": torch.stack(keys, 1), "values": torch.stack(values, 1)}
        if any(inputs[name].mask is not None for name in self.exchanged):
            memory["any"] = torch.stack(list(shares.values())).bool().any(0)
        return memory

    def between(self, layer: int, hidden: Tensor, memory: Memory) -> Tensor:
        """See `Fusion.between`.

        Shape: hidden [B, T, D] -> [B, T, D].
        """
        name = str(layer)
        if name not in self.readings:
            return hidden
        place = list(self.readings).index(name)
        keys, values = memory["keys"][:, place], memory["values"][:, place]
        return self.readings[name](hidden, keys, values, None, memory.get("any"))  # type: ignore[no-any-return]


class _Stream(nn.Module):
    """A pre-norm Transformer layer over one input's positions and the tokens behind them."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, values: Tensor, tokens: Tensor, seen: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return what it makes of the positions, and of the tokens.

        Shape: values [B, S, D], tokens [B, N, D], seen [B, 1, 1, S + N] or None -> [B, S, D], [B, N, D].
        """
        both = torch.cat([values, tokens], dim=1)
        split = self.qkv(self.attention_norm(both)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        queries, keys, content = split.unbind(0)
        read = attend(queries, keys, content, seen).transpose(1, 2).flatten(2)
        both = both + self.dropout(self.output(read))
        both = both + self.dropout(self.feed_forward(both))
        return both[:, : values.shape[1]], both[:, values.shape[1] :]
