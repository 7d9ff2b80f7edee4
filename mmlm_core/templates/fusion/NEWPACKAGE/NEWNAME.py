"""The fusion `NEWNAME`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmlm_core.interfaces import Fusion
from mmlm_core.types import QUERIES, Features, Joined, join
from torch import nn

from NEWPACKAGE.plugin import NEWCLASSOptions

__all__ = ["NEWCLASSFusion"]


class NEWCLASSFusion(Fusion):
    """One sequence: the mean of each input, then the queries. An input that the head reads stays whole.

    Args:
        options: The options.
        width: D of the backbone.
        depth: Not used: nothing happens between the layers.
        modalities: Names of the inputs.
        reads: The segments that the head reads.
    """

    def __init__(
        self,
        options: NEWCLASSOptions,
        *,
        width: int,
        depth: int,
        modalities: tuple[str, ...],
        reads: tuple[str, ...],
    ) -> None:
        super().__init__()
        del depth
        self.meant = frozenset(modalities) - frozenset(reads)
        marked = sorted(self.meant) if options.mark else []
        self.marks = nn.ParameterDict({name: nn.Parameter(torch.randn(width) * 0.02) for name in marked})

    def join(self, inputs: Mapping[str, Features], queries: Features | None) -> tuple[Joined, ...]:
        """Return the one sequence that the backbone reads."""
        parts = {name: self._mean(name, part) if name in self.meant else part for name, part in sorted(inputs.items())}
        return (join(parts if queries is None else {**parts, QUERIES: queries}),)

    def _mean(self, name: str, part: Features) -> Features:
        """Return the mean of the valid positions; a row that has none has no valid position here either.

        Shape: values [B, T, D] -> [B, 1, D].
        """
        valid = part.valid.unsqueeze(-1)
        mean = part.values.masked_fill(~valid, 0).sum(1, keepdim=True) / valid.sum(1, keepdim=True).clamp(min=1)
        return Features(mean + self.marks[name] if name in self.marks else mean, part.valid.any(1, keepdim=True))
