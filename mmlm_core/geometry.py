"""Where the places of a processed picture lie in the picture itself, so that masks, boxes and points can follow.

A processor that keeps places says so in tensors beside its `pixels`. All coordinates run from -1 to 1 over a side, x to
the right and y down, as with `torch.nn.functional.affine_grid`.

- `PLACEMENT`, of `process`: what maps places of the processed picture to places of the item. Shape: [2, 3].
- `EXTENT`, of `process`: height and width of the item, in pixels. Shape: [2].
- `FRAME`, of `process`: height and width of the processed picture, in pixels. Shape: [2].
- `MOTION`, of `collate`, where it moves pictures at random: what maps places of the moved picture to places of the one
  that was processed. Shape: [I, 2, 3].
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["EXTENT", "FRAME", "MOTION", "PLACEMENT", "boxed", "follow", "inverse", "places"]

PLACEMENT = "placement"
EXTENT = "extent"
FRAME = "frame"
MOTION = "motion"


def boxed(frame: tuple[int, int], box: tuple[float, float, float, float]) -> Tensor:
    """Return the placement of an item that was resized to a box of the frame.

    Args:
        frame: Height and width of the processed picture, in pixels.
        box: Top, left, height and width, in pixels; what of it lies beyond the frame was cut off.

    Example:
        >>> boxed((4, 8), (0, 2, 4, 4)).tolist()  # a square in the middle: its edges are at -0.5 and 0.5
        [[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    (height, width), (top, left, inner_height, inner_width) = frame, box
    right = (width - 2 * left) / inner_width - 1
    down = (height - 2 * top) / inner_height - 1
    return torch.tensor([[width / inner_width, 0.0, right], [0.0, height / inner_height, down]])


def inverse(theta: Tensor) -> Tensor:
    """Return the map back.

    Shape: [..., 2, 3] -> [..., 2, 3].
    """
    with torch.autocast(theta.device.type, enabled=False):
        turn = torch.linalg.inv(theta[..., :2])
        return torch.cat([turn, -turn @ theta[..., 2:]], dim=-1)


def places(theta: Tensor, size: tuple[int, int]) -> Tensor:
    """Return where each pixel comes from, as `grid_sample` takes it, exactly even where a model computes in bf16.

    Shape: theta [I, 2, 3] -> [I, h, w, 2] for a size of h and w.
    """
    with torch.autocast(theta.device.type, enabled=False):
        return functional.affine_grid(theta, [len(theta), 1, *size], align_corners=False)


def follow(labels: Tensor, theta: Tensor, size: tuple[int, int], outside: int) -> Tensor:
    """Return the labels that stand where a picture's pixels come from: each pixel has one of them, unmixed.

    Args:
        labels: Whole numbers below 2 ** 24. Shape: [I, H, W].
        theta: What maps places of the result to places of the labels. Shape: [I, 2, 3].
        size: Height and width of the result, h and w.
        outside: The label of what comes from beyond the edges.

    Shape: [I, h, w].
    """
    grid = places(theta, size)
    shifted = (labels - outside).float().unsqueeze(1)  # beyond the edges `grid_sample` gives zeros
    taken = functional.grid_sample(shifted, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return taken.squeeze(1).to(labels.dtype) + outside
