"""The optimizer `NEWNAME`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from mmlm_core.interfaces import Optimizer
from torch import nn

from NEWPACKAGE.plugin import NEWCLASSOptions

__all__ = ["NEWCLASSOptimizer"]


class NEWCLASSOptimizer(Optimizer):
    """Makes the torch optimizer of a model.

    Args:
        options: The options.
    """

    def __init__(self, options: NEWCLASSOptions) -> None:
        self.options = options

    def build(self, model: nn.Module) -> torch.optim.Optimizer:
        """Return the optimizer of every parameter that requires a gradient; vectors are not decayed."""
        options = self.options
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        groups = [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": options.weight_decay},
            {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
        ]
        return _Lion([group for group in groups if group["params"]], options.lr, options.beta1, options.beta2)


class _Lion(torch.optim.Optimizer):
    """Lion (Chen et al. 2023), its algorithm 2.

    Args:
        groups: Groups of parameters, each with its `weight_decay`.
        lr: Learning rate.
        beta1: See the options.
        beta2: See the options.
    """

    def __init__(self, groups: list[dict[str, Any]], lr: float, beta1: float, beta2: float) -> None:
        super().__init__(groups, {"lr": lr, "beta1": beta1, "beta2": beta2, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Make one update; the closure computes the loss and the gradients anew."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)
        return loss

    def _update(self, parameter: torch.Tensor, gradient: torch.Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum = state["momentum"]
        direction = torch.lerp(gradient, momentum, group["beta1"]).sign_()
        parameter.mul_(1 - group["lr"] * group["weight_decay"]).add_(direction, alpha=-group["lr"])
        momentum.lerp_(gradient, 1 - group["beta2"])
