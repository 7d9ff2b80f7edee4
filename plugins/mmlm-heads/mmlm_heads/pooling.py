"""One vector of a row out of all the positions that a head reads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mmlm_core.types import Features
from mmlm_heads.options import Pooling

__all__ = ["pool"]


def pool(parts: Sequence[Features], pooling: Pooling) -> Tensor:
    """Return one vector a row out of the valid positions of all parts; zeros where a row has none.

    Args:
        parts: Segments, in order. Shape of the values: [B, S, D].
        pooling: `mean`, `max`, or `last`: the last valid position of the last part that has one.

    Shape: [B, D].
    """
    values = torch.cat([part.values for part in parts], dim=1)
    if all(part.mask is None for part in parts):
        if pooling is Pooling.mean:
            return values.mean(1)
        return values.amax(1) if pooling is Pooling.max else values[:, -1]
    valid = torch.cat([part.valid for part in parts], dim=1).unsqueeze(-1)
    if pooling is Pooling.mean:
        return values.masked_fill(~valid, 0).sum(1) / valid.sum(1).clamp(min=1)
    if pooling is Pooling.max:
        return values.masked_fill(~valid, -torch.inf).amax(1).masked_fill(~valid.any(1), 0)
    steps = torch.arange(values.shape[1], device=values.device).unsqueeze(-1)
    last = torch.where(valid, steps, 0).amax(1, keepdim=True)
    return values.gather(1, last.expand(-1, -1, values.shape[-1])).squeeze(1).masked_fill(~valid.any(1), 0)
