"""Scaled dot-product attention, by the fastest way of the device; for the parts of plugins that attend."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["attend"]

SHORT = 512 * 512
"""Queries times keys up to which a CPU trains faster in bf16 by plain products than by torch's kernel: its backward
takes 1.3 times as long at 512 positions, 3 times at 128, 6 times for 10 queries on 64 keys (torch 2.14, Zen 4)."""


def attend(
    queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None, *, causal: bool = False
) -> Tensor:
    """Return softmax(Q K^T / sqrt(D)) V (Vaswani et al. 2017).

    Each query must see a key. With fewer heads of keys than of queries, each serves a group of queries' heads (Ainslie
    et al. 2023).

    Args:
        queries: What attends.
        keys: What it is compared with.
        values: What it reads.
        mask: True where a query sees a key; None: everywhere.
        causal: Query i sees the keys up to the i-th; then there is no mask.

    Shape: queries [B, H, T, D]; keys, values [B, H', S, D], where H' divides H; mask broadcastable to [B, H, T, S]
        -> [B, H, T, D].
    """
    if queries.requires_grad and _slow_in_bf16(queries) and queries.shape[2] * keys.shape[2] <= SHORT:
        return _by_products(queries, keys, values, mask, causal)
    return functional.scaled_dot_product_attention(
        queries, keys, values, attn_mask=mask, is_causal=causal, enable_gqa=keys.shape[1] != queries.shape[1]
    )


def _slow_in_bf16(queries: Tensor) -> bool:
    if queries.device.type != "cpu":
        return False
    computed = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else queries.dtype
    return computed == torch.bfloat16


def _by_products(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
    groups = queries.shape[1] // keys.shape[1]
    if groups > 1:
        keys, values = keys.repeat_interleave(groups, 1), values.repeat_interleave(groups, 1)
    scores = (queries * queries.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
    if causal:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return scores.softmax(-1) @ values  # type: ignore[no-any-return]
