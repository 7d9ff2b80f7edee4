"""The encoder `pointnet`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from mmlm_core.interfaces import Encoder
from mmlm_core.types import Features
from mmlm_pointcloud.options import PointNetOptions
from mmlm_pointcloud.processor import CloudProcessor

__all__ = ["PointNet", "in_groups"]


class PointNet(Encoder):
    """The same layers for every point, then the greatest value of each channel (Qi et al. 2017).

    Without that paper's learned rotations of the points, and with one layer norm behind the maximum in place of batch
    norm in each layer, so that no cloud depends on the others of its batch.

    Attributes:
        width: D.
        tokens: T, vectors of a cloud.
    """

    def __init__(self, options: PointNetOptions) -> None:
        super().__init__()
        self.width, self.tokens = options.width, options.tokens
        self._processor = CloudProcessor(options.points, options.augment, options.up)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise([3, *options.channels]):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.shared = nn.Sequential(*layers[:-1])
        self.project = nn.Sequential(nn.LayerNorm(options.channels[-1]), nn.Linear(options.channels[-1], self.width))
        self.dropout = nn.Dropout(options.dropout)

    def processor(self) -> CloudProcessor:
        """Return the processor of the clouds."""
        return self._processor

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Encode clouds.

        Shape: points [I, N, 3], valid [I, N] -> values [I, T, D], and a mask [I, T] where T is more than 1: a cloud of
        fewer points than T has a vector for each point.
        """
        points, valid = in_groups(items["points"], items["valid"], self.tokens)
        hidden = self.shared(points).masked_fill(~valid.unsqueeze(-1), -torch.inf)
        hidden = hidden.max(2).values  # `amax` would share the gradient among equals, and cost more
        mask = valid.any(2)
        values = self.project(hidden.masked_fill(~mask.unsqueeze(-1), 0))
        return Features(self.dropout(values), mask if self.tokens > 1 else None)


def in_groups(points: Tensor, valid: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Divide each cloud's points, in their order, into groups whose sizes differ by one at most.

    Args:
        points: Clouds, padding behind. Shape: [I, N, 3].
        valid: True where there is a point. Shape: [I, N].
        count: G; of a cloud with fewer points, some groups are empty.

    Returns:
        The points of each group, [I, G, S, 3], and where there is one, [I, G, S].
    """
    if count == 1:
        return points.unsqueeze(1), valid.unsqueeze(1)
    size = -(-points.shape[1] // count)
    borders = -(-torch.arange(count + 1, device=points.device) * valid.sum(1, keepdim=True) // count)  # rounded up
    place = borders[:, :-1, None] + torch.arange(size, device=points.device)
    inside = place < borders[:, 1:, None]
    place = place.clamp(max=points.shape[1] - 1).flatten(1).unsqueeze(-1).expand(-1, -1, 3)
    return points.gather(1, place).unflatten(1, (count, size)), inside
