"""The cross-entropy of a linear map's logits that never holds all of them; for heads with a large vocabulary."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from mmlm_core.targets import IGNORED

__all__ = ["linear_cross_entropy"]

LARGE = 2**24
"""Logits from which on they are made in parts: 64 MiB, of which the plain way holds three."""
PART = 3 * 2**22
"""Logits of a part on a CPU: what stays near its caches."""
PART_ON_A_CARD = 2**26
"""Logits of a part on any other device: what keeps it busy."""


def linear_cross_entropy(hidden: Tensor, weight: Tensor, labels: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Return the sum of `cross_entropy(hidden @ weight.T, labels)` over the labels that are not `IGNORED`.

    Where there are many logits, a part of them at a time is made, turned into its share of the gradients at once, and
    forgotten (as in Liger Kernel, Hsu et al. 2024). Nothing is computed twice, and the gradients are exact. Torch's own
    `linear_cross_entropy` (2.13) is no substitute yet: on a CPU it is slower, and in bf16 it gives another loss.

    Args:
        hidden: What the map reads. Shape: [N, D].
        weight: Of the map. Shape: [V, D].
        labels: Shape: [N].
        label_smoothing: Share of the target that is spread over the vocabulary.

    Shape: -> [].
    """
    kind = hidden.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else hidden.dtype
    few = hidden.shape[0] * weight.shape[0] < LARGE
    if few or dtype == torch.float16 or not torch.is_grad_enabled():  # in fp16 gradients must be scaled before they are
        logits = functional.linear(hidden, weight).float()
        return functional.cross_entropy(
            logits, labels, ignore_index=IGNORED, label_smoothing=label_smoothing, reduction="sum"
        )
    return _Parts.apply(hidden, weight, labels, label_smoothing, dtype)  # type: ignore[no-any-return]


class _Parts(torch.autograd.Function):
    """Makes logits in parts, and the gradients with them."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, labels: Tensor, smoothing: float, dtype: torch.dtype
    ) -> Tensor:
        vocabulary = weight.shape[0]
        read, map_ = hidden.to(dtype), weight.to(dtype)
        to_hidden = torch.empty_like(hidden)
        to_weight = torch.zeros_like(weight, dtype=torch.float32) if ctx.needs_input_grad[1] else None
        total = hidden.new_zeros((), dtype=torch.float32)
        size = max(1, (PART if hidden.device.type == "cpu" else PART_ON_A_CARD) // vocabulary)
        with torch.autocast(hidden.device.type, enabled=False):
            for start in range(0, len(hidden), size):
                part = slice(start, start + size)
                scored = (labels[part] != IGNORED).unsqueeze(1)
                wanted = labels[part].unsqueeze(1).clamp(min=0)
                logs = (read[part] @ map_.t()).log_softmax(-1, dtype=torch.float32)
                losses = logs.gather(1, wanted) * (smoothing - 1)
                if smoothing:
                    losses -= logs.mean(-1, keepdim=True) * smoothing
                total += (losses * scored).sum()
                slopes = logs.exp_()  # of the loss over the logits: probability less target
                if smoothing:
                    slopes -= smoothing / vocabulary
                slopes.scatter_add_(1, wanted, torch.full_like(losses, smoothing - 1))
                slopes = slopes.mul_(scored).to(dtype)
                to_hidden[part] = slopes @ map_
                if to_weight is None:
                    continue
                if dtype == torch.float32:
                    to_weight.addmm_(slopes.t(), read[part])
                else:
                    to_weight += slopes.t() @ read[part]
        ctx.save_for_backward(to_hidden, None if to_weight is None else to_weight.to(weight.dtype))
        return total

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor | None, None, None, None]:
        to_hidden, to_weight = ctx.saved_tensors
        return to_hidden * slope, None if to_weight is None else to_weight * slope, None, None, None
