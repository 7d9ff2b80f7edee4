"""The fusion `late`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from mmlm_core.interfaces import Fusion
from mmlm_core.types import QUERIES, Features, Joined, join
from mmlm_fusion.options import LateOptions

__all__ = ["Late"]


class Late(Fusion):
    """Gives the backbone each input, sorted by name, and then the queries, as sequences that do not see each other.

    One backbone reads them all, so its weights are shared over the modalities; with `backbone=none` nothing is, as in
    CLIP (Radford et al. 2021).

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
        marked = modalities if options.mark else ()
        self.marks = nn.ParameterDict({name: nn.Parameter(torch.randn(width) * 0.02) for name in marked})

    def join(self, inputs: Mapping[str, Features], queries: Features | None) -> tuple[Joined, ...]:
        """Return one sequence for each input, and one for the queries. See `Fusion.join`."""
        parts = {
            name: part.with_values(part.values + self.marks[name]) if name in self.marks else part
            for name, part in sorted(inputs.items())
        }
        if queries is not None:
            parts[QUERIES] = queries
        return tuple(join({name: part}) for name, part in parts.items())
