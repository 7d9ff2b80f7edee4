"""The fusion `film`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmlm_core.interfaces import Fusion
from mmlm_core.types import QUERIES, Features, Joined, Memory, join
from mmlm_fusion.options import FilmOptions
from mmlm_fusion.outside import chosen_layers, outside

__all__ = ["Film"]


class Film(Fusion):
    """Scales and shifts each feature of the hidden states after the layers of the backbone (FiLM, Perez et al. 2018).

    How, follows from the means of the inputs' positions, as (1 + scale) * hidden + shift. Both begin at 0, so that the
    backbone is as it was when training begins. A row that lacks an input is modulated by the others alone, and one that
    has none is not. Inputs that the head reads, or that `keep` names, stay in the sequence.

    Args:
        options: See `FilmOptions`.
        width: D of the backbone.
        depth: Layers of the backbone.
        modalities: Names of the inputs.
        reads: Segments that the head reads.

    Raises:
        OptionError: `keep` names no input.
        CompositionError: Every input stays in the sequence, so that nothing modulates it; or there is no layer.
    """

    def __init__(
        self, options: FilmOptions, *, width: int, depth: int, modalities: tuple[str, ...], reads: tuple[str, ...]
    ) -> None:
        super().__init__()
        self.conditions = outside("film", "modulate by", options.keep, modalities, reads)
        self.layers = chosen_layers("film", depth, options.every)
        self.norms = nn.ModuleDict({name: nn.LayerNorm(width) for name in self.conditions})
        # Without a bias, which would modulate rows that have no input at all.
        self.map = nn.Linear(width * len(self.conditions), 2 * width * len(self.layers), bias=False)
        nn.init.zeros_(self.map.weight)

    def join(self, inputs: Mapping[str, Features], queries: Features | None) -> tuple[Joined, ...]:
        """See `Fusion.join`."""
        parts = {name: part for name, part in sorted(inputs.items()) if name not in self.conditions}
        return (join(parts if queries is None else {**parts, QUERIES: queries}),)

    def remember(self, inputs: Mapping[str, Features]) -> Memory:
        """Return how the features are modulated after each chosen layer.

        Shape: `scales`, `shifts` [B, layers, 1, D].
        """
        pooled = [self._pooled(name, inputs[name]) for name in self.conditions]
        made = self.map(torch.cat(pooled, dim=-1))
        scales, shifts = made.unflatten(-1, (len(self.layers), 2, 1, -1)).unbind(2)
        return {"scales": scales, "shifts": shifts}

    def between(self, layer: int, hidden: Tensor, memory: Memory) -> Tensor:
        """See `Fusion.between`.

        Shape: hidden [B, T, D] -> [B, T, D].
        """
        if layer not in self.layers:
            return hidden
        place = self.layers.index(layer)
        return hidden * (1 + memory["scales"][:, place]) + memory["shifts"][:, place]

    def _pooled(self, name: str, part: Features) -> Tensor:
        """Return the normed mean of an input's valid positions, and zeros where a row has none. Shape: [B, D]."""
        if part.mask is None:
            return self.norms[name](part.values.mean(1))  # type: ignore[no-any-return]
        valid = part.mask.unsqueeze(-1)
        mean = part.values.masked_fill(~valid, 0.0).sum(1) / valid.sum(1).clamp(min=1)
        return self.norms[name](mean).masked_fill(~valid.any(1), 0.0)  # type: ignore[no-any-return]
