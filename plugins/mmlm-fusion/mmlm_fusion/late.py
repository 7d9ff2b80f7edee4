"""The fusion `late`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from mmlm_core.interfaces import Fusion
from mmlm_core.types import QUERIES, Features, Joined, join
from mmlm_fusion.options import LateOptions

__all__ = ["Late"]


class Late(Fusion):
    """Gives the backbone each input, sorted by name, as a sequence that does not see the others.

    One backbone reads them all, so its weights are shared over the modalities; with `backbone=none` nothing is, as in
    CLIP (Radford et al. 2021). The head's queries are a sequence of their own. With `average` they stand in every
    sequence, and the head reads the mean of what they became: through its last, linear layer, the mean of the scores
    that each input gives alone.

    Args:
        options: See `LateOptions`.
        width: D of the backbone.
        depth: Not used.
        modalities: Names of the inputs.
        reads: Not used: every input is read by the head, as the traits ask.
    """

    def __init__(
        self, options: LateOptions, *, width: int, depth: int, modalities: tuple[str, ...], reads: tuple[str, ...]
    ) -> None:
        super().__init__()
        del depth, reads
        self._averages = options.average
        marked = modalities if options.mark else ()
        self.marks = nn.ParameterDict({name: nn.Parameter(torch.randn(width) * 0.02) for name in marked})

    def join(self, inputs: Mapping[str, Features], queries: Features | None) -> tuple[Joined, ...]:
        """Return one sequence for each input; the queries are one too, or stand in each. See `Fusion.join`."""
        parts = {
            name: part.with_values(part.values + self.marks[name]) if name in self.marks else part
            for name, part in sorted(inputs.items())
        }
        if queries is None:
            return tuple(join({name: part}) for name, part in parts.items())
        if self._averages:
            return tuple(join({name: part, QUERIES: queries}) for name, part in parts.items())
        return tuple(join({name: part}) for name, part in {**parts, QUERIES: queries}.items())

    def gather(self, read: Sequence[Mapping[str, Features]]) -> dict[str, Features]:
        """Return every segment; the queries as their mean over the inputs that a row has, over all where it has none.

        See `Fusion.gather`.
        """
        gathered = super().gather(read)
        if not self._averages or QUERIES not in gathered:
            return gathered
        parts = [(segments[QUERIES], next(part for name, part in segments.items() if name != QUERIES))
                 for segments in read]  # fmt: skip
        present = torch.stack([part.valid.any(1) for _, part in parts])  # [sequences, B]
        weights = (present | ~present.any(0)).to(gathered[QUERIES].values.dtype)
        weights = (weights / weights.sum(0)).unsqueeze(-1).unsqueeze(-1)
        mean = (torch.stack([queries.values for queries, _ in parts]) * weights).sum(0)
        return {**gathered, QUERIES: gathered[QUERIES].with_values(mean)}
