"""The fusion `concat`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from mmlm_core.interfaces import Fusion
from mmlm_core.types import QUERIES, Features, Joined, join
from mmlm_fusion.options import ConcatOptions

__all__ = ["Concat"]


class Concat(Fusion):
    """Puts the inputs, sorted by name, and then the queries into one sequence.

    Args:
        options: See `ConcatOptions`.
        width: D of the backbone.
        depth: Not used.
        modalities: Names of the inputs.
        reads: Not used: everything stays in the sequence.
    """

    def __init__(
        self, options: ConcatOptions, *, width: int, depth: int, modalities: tuple[str, ...], reads: tuple[str, ...]
    ) -> None:
        super().__init__()
        del depth, reads
        marked = modalities if options.mark else ()
        self.marks = nn.ParameterDict({name: nn.Parameter(torch.randn(width) * 0.02) for name in marked})

    def join(self, inputs: Mapping[str, Features], queries: Features | None) -> tuple[Joined, ...]:
        """See `Fusion.join`."""
        parts = {
            name: part.with_values(part.values + self.marks[name]) if name in self.marks else part
            for name, part in sorted(inputs.items())
        }
        return (join(parts if queries is None else {**parts, QUERIES: queries}),)
