"""One vector of an input's positions."""

from __future__ import annotations

import torch
from torch import Tensor

from mmlm_contrastive.options import Pooling
from mmlm_core.types import Features

__all__ = ["pool"]


def pool(features: Features, pooling: Pooling) -> Tensor:
    """Return one vector a row out of its valid positions; zeros where it has none.

    Shape: values [B, S, D] -> [B, D].
    """
    values, valid = features.values, features.valid.unsqueeze(-1)
    if pooling is Pooling.mean:
        return values.masked_fill(~valid, 0).sum(1) / valid.sum(1).clamp(min=1)
    exists = valid.any(1)
    if pooling is Pooling.max:
        return values.masked_fill(~valid, -torch.inf).amax(1).masked_fill(~exists, 0)
    steps = torch.arange(values.shape[1], device=values.device).unsqueeze(-1)
    if pooling is Pooling.first:
        place = steps.masked_fill(~valid, values.shape[1] - 1).amin(1, keepdim=True)
    else:
        place = steps.masked_fill(~valid, 0).amax(1, keepdim=True)
    return values.gather(1, place.expand(-1, -1, values.shape[-1])).squeeze(1).masked_fill(~exists, 0)
