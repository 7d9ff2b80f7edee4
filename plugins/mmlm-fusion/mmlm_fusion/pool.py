"""The projection `pool`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmlm_core.interfaces import Projection
from mmlm_core.types import Features
from mmlm_fusion.options import PoolOptions

__all__ = ["Pool"]


class Pool(Projection):
    """The means of equal shares of an item's valid positions, in their order; then a linear map.

    Shares overlap by a position where their number does not divide that of the positions, as in torch's adaptive
    average pooling; an item of fewer positions than shares repeats some.

    Args:
        options: See `PoolOptions`.
        input_width: D of the features.
        output_width: D of the backbone.
    """

    def __init__(self, options: PoolOptions, *, input_width: int, output_width: int) -> None:
        super().__init__()
        self.positions = options.positions
        self.map = nn.Linear(input_width, output_width)

    def forward(self, features: Features) -> Features:
        """Pool and project.

        Shape: values [I, T, D_in] -> [I, positions, D_out].
        """
        valid = features.valid
        values = features.values.masked_fill(~valid.unsqueeze(-1), 0.0)
        pooled = _shares(valid, self.positions).to(values.dtype) @ values
        mask = None if features.mask is None else valid.any(1, keepdim=True).expand(-1, self.positions)
        return Features(self.map(pooled), mask)


def _shares(valid: Tensor, positions: int) -> Tensor:
    """Return what each position has in each mean.

    Shape: [I, T] -> [I, positions, T].
    """
    count = valid.sum(1, keepdim=True)
    number = torch.arange(positions, device=valid.device)
    first = (number * count) // positions  # [I, positions]
    last = ((number + 1) * count + positions - 1) // positions
    place = (valid.cumsum(1) - 1).unsqueeze(1)  # of a position among the valid ones
    inside = (place >= first.unsqueeze(-1)) & (place < last.unsqueeze(-1)) & valid.unsqueeze(1)
    return inside / inside.sum(-1, keepdim=True).clamp(min=1)
