"""Learned positions at another resolution."""

from __future__ import annotations

import math
from typing import Any, cast

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["fit_positions", "fit_timm_positions"]


def fit_positions(module: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Interpolate the `position` of a saved state to the module's own grid (Dosovitskiy et al. 2021, section 3.2).

    A hook for `register_load_state_dict_pre_hook`: weights that were trained at one size serve at another.

    Args:
        module: With `position` [1, T, D], and `grid`, its height and width.
        state: The state that is loaded; its positions are those of a square.
        prefix: Where the module's own state stands in it.
    """
    key = f"{prefix}position"
    given, wanted, size = state.get(key), cast("Tensor", module.position), cast("tuple[int, int]", module.grid)
    if given is None or given.shape == wanted.shape or given.shape[-1] != wanted.shape[-1]:
        return
    side = math.isqrt(given.shape[1])
    grid = given.view(1, side, side, -1).permute(0, 3, 1, 2).float()
    fitted = functional.interpolate(grid, size=size, mode="bicubic", align_corners=False, antialias=True)
    state[key] = fitted.permute(0, 2, 3, 1).flatten(1, 2).to(given.dtype)


def fit_timm_positions(encoder: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Interpolate the positions of a saved model of timm to the encoder's own size; a hook as `fit_positions` is.

    Args:
        encoder: With `model`, of timm.
        state: The state that is loaded.
        prefix: Where the encoder's own state stands in it.
    """
    model, key = cast("nn.Module", encoder.model), f"{prefix}model.pos_embed"
    given, wanted = state.get(key), getattr(model, "pos_embed", None)
    grid = getattr(getattr(model, "patch_embed", None), "grid_size", None)
    if given is None or wanted is None or grid is None or given.ndim != 3 or given.shape == wanted.shape:
        return
    first = 0 if getattr(model, "no_embed_class", False) else int(getattr(model, "num_prefix_tokens", 0))
    from timm.layers.pos_embed import resample_abs_pos_embed  # heavy: `cnn` and `vit` do without timm

    state[key] = resample_abs_pos_embed(given, list(grid), num_prefix_tokens=first)
