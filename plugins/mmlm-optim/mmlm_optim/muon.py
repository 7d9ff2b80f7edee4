"""The optimizer `muon`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from mmlm_core.interfaces import Optimizer
from mmlm_optim.options import MuonOptions
from mmlm_optim.parameters import decayed_groups, fused, split

__all__ = ["Muon", "Together"]


class Muon(Optimizer):
    """Makes torch's Muon for the matrices of the layers, and AdamW for the rest, as one optimizer."""

    def __init__(self, options: MuonOptions) -> None:
        self.options = options

    def build(self, model: nn.Module) -> torch.optim.Optimizer:
        """See `Optimizer.build`."""
        matrices, kernels, others = split(model)
        options = self.options
        parts: list[torch.optim.Optimizer] = []
        if matrices:
            parts.append(
                torch.optim.Muon(
                    matrices, lr=options.lr, momentum=options.momentum, weight_decay=options.weight_decay
                )
            )
        if kernels or others:
            parts.append(
                torch.optim.AdamW(
                    decayed_groups(kernels, others, options.weight_decay),
                    lr=options.adamw_lr,
                    betas=(options.adamw_beta1, options.adamw_beta2),
                    fused=fused(kernels + others),
                )
            )
        return Together(parts)


class Together(torch.optim.Optimizer):
    """Several optimizers that step as one; their groups are the parts' own, so a schedule reaches all of them.

    Args:
        parts: Each over parameters of its own.
    """

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        self.parts = parts
        super().__init__([group for part in parts for group in part.param_groups], {})
        self.param_groups = [group for part in parts for group in part.param_groups]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """Make one update with every part."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the parts' states."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the parts' states."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self.param_groups = [group for part in self.parts for group in part.param_groups]
