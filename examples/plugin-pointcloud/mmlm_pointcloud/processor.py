"""The processor of point clouds, for any encoder of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmlm_core.interfaces import Processor
from mmlm_pointcloud.augment import change
from mmlm_pointcloud.drawing import drawing
from mmlm_pointcloud.options import AugmentOptions, Axis
from mmlm_pointcloud.reading import load_points
from mmlm_pointcloud.space import in_unit_ball, sorted_by_place, thinned

__all__ = ["CloudProcessor"]


class CloudProcessor(Processor):
    """Moves a cloud into the unit ball, thins it out, and sorts its points by place; batches are padded and augmented.

    What it makes does not depend on the order of the points: they are sorted before anything is computed of them.

    Args:
        points: Points at most.
        augment: Random changes in training.
        up: The vertical axis.
    """

    def __init__(self, points: int, augment: AugmentOptions, up: Axis = Axis.z) -> None:
        self.points = points
        self.augment = augment
        self.up = up

    def process(self, item: Any) -> dict[str, Tensor]:
        """Return one cloud's points, neighbours near each other in the order.

        Shape: points [N, 3], N at most `points`; float.
        """
        points = thinned(in_unit_ball(sorted_by_place(load_points(item))), self.points)
        return {"points": torch.from_numpy(points.astype(np.float32))}

    def blank(self) -> dict[str, Tensor]:
        """Return a single point at the centre."""
        return {"points": torch.zeros(1, 3)}

    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: torch.Generator | None) -> dict[str, Tensor]:
        """Pad the clouds with zeros to the largest, and augment them where there is a generator.

        Shape: points [I, N, 3], float; valid [I, N], bool.
        """
        clouds = [item["points"] for item in items]
        points = pad_sequence(clouds, batch_first=True)
        valid = torch.arange(points.shape[1]) < torch.tensor([len(cloud) for cloud in clouds]).unsqueeze(1)
        if generator is not None and self.augment.enabled:
            points = change(points, self.augment, self.up, generator).masked_fill(~valid.unsqueeze(-1), 0)
        return {"points": points, "valid": valid}

    def picture(self, item: Any) -> Any:
        """Return a drawing of a cloud, for reports."""
        return drawing(self.process(item)["points"], self.up)
