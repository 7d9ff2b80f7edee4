"""The fusion `cross_attention`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmlm_core.interfaces import Fusion
from mmlm_core.types import QUERIES, Features, Joined, Memory, join
from mmlm_fusion.options import CrossAttentionOptions
from mmlm_fusion.outside import check_heads, chosen_layers, outside
from mmlm_fusion.reading import Reading, sinusoids

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
        check_heads(options.heads, width)
        self.attended = outside("cross_attention", "attend to", options.keep, modalities, reads)
        layers = chosen_layers("cross_attention", depth, options.every)
        self.heads = options.heads
        self.positions = options.positions
        self.memory_norms = nn.ModuleDict({name: nn.LayerNorm(width) for name in self.attended})
        self.keys_values = nn.Linear(width, 2 * width * len(layers), bias=False)
        self.layers = nn.ModuleDict(
            {str(layer): Reading(width, options.heads, options.dropout, options.gated) for layer in layers}
        )

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
            normed = [values + sinusoids(values, part.mask) for values, part in zip(normed, parts, strict=True)]
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
