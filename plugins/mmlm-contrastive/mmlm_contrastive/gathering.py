"""Rows of all processes, with the gradients of all."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed
from torch.nn import functional

__all__ = ["gathered", "is_shared"]


def is_shared() -> bool:
    """Whether several processes train together."""
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


def gathered(*tensors: Tensor) -> tuple[list[Tensor], int]:
    """Return tensors with the rows of all processes, in their order, and where the own rows begin.

    Every process must call it, each with as many rows as it has, the same number for all tensors. A gradient that any
    process has with respect to a row reaches the process that the row comes from; the processes' gradients are added.

    Args:
        tensors: Shape of each: [B, ...]; B may differ from process to process.
    """
    rows, device = len(tensors[0]), tensors[0].device
    sizes = torch.zeros(distributed.get_world_size(), dtype=torch.long, device=device)
    sizes[distributed.get_rank()] = rows
    distributed.all_reduce(sizes)
    counts = sizes.tolist()
    most = max(counts)

    def whole(tensor: Tensor) -> Tensor:
        padded = functional.pad(tensor, (0, 0) * (tensor.ndim - 1) + (0, most - rows))
        parts = _Gather.apply(padded)
        return torch.cat([part[:count] for part, count in zip(parts, counts, strict=True)])

    return [whole(tensor) for tensor in tensors], sum(counts[: distributed.get_rank()])


class _Gather(torch.autograd.Function):
    """`all_gather` with a gradient; torch's own (`torch.distributed.nn`) is deprecated without a public successor."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> tuple[Tensor, ...]:
        parts = [torch.empty_like(tensor) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, tensor.contiguous())
        return tuple(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        summed = torch.stack(gradients)
        distributed.all_reduce(summed)
        return summed[distributed.get_rank()]
