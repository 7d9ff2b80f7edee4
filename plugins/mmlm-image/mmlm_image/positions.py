"""Learned positions at another resolution."""

from __future__ import annotations

import math
from typing import Any, cast

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["fit_positions"]


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
