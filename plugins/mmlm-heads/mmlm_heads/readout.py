"""What the heads of a whole row read: a learned position of their own, or all positions of the inputs, pooled."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmlm_core.types import QUERIES, Batch, Features
from mmlm_heads.options import Pooling
from mmlm_heads.pooling import pool

__all__ = ["Readout"]


class Readout(nn.Module):
    """One vector a row, with dropout, through a linear layer.

    Args:
        pooling: What is read.
        dropout: Before the output layer.
        width: D.
        outputs: K.
        modalities: Names of the inputs.

    Attributes:
        reads: The segments that are read.
    """

    def __init__(
        self, pooling: Pooling, dropout: float, *, width: int, outputs: int, modalities: tuple[str, ...]
    ) -> None:
        super().__init__()
        self._pooling = pooling
        self.reads = (QUERIES,) if pooling is Pooling.query else tuple(modalities)
        if pooling is Pooling.query:
            self.query = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(width, outputs)

    def queries(self, batch: Batch) -> Features | None:
        """Return the learned position, or None where the inputs are pooled.

        Shape: values [B, 1, D].
        """
        return Features(self.query.expand(batch.size, -1, -1)) if self._pooling is Pooling.query else None

    def forward(self, outputs: Mapping[str, Features]) -> Tensor:
        """Return the numbers of each row, in float32.

        Shape: [B, K].
        """
        if self._pooling is Pooling.query:
            pooled = outputs[QUERIES].values[:, 0]
        else:
            pooled = pool([outputs[name] for name in self.reads], self._pooling)
        return self.output(self.dropout(pooled)).float()  # type: ignore[no-any-return]
