"""The optimizer `muon`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from mmlm_core.interfaces import Optimizer
from mmlm_optim.options import MuonOptions
from mmlm_optim.parameters import decayed_groups, fused, split

__all__ = ["Muon", "Orthogonalised", "Together"]

STEPS = 5
A, B, C = 3.4445, -4.7750, 2.0315
"""Newton and Schulz's iteration: x becomes A x + B x^3 + C x^5 (Jordan et al. 2024)."""


class Muon(Optimizer):
    """Makes Muon for the matrices and kernels of the layers, and AdamW for the rest, as one optimizer."""

    def __init__(self, options: MuonOptions) -> None:
        self.options = options

    def build(self, model: nn.Module) -> torch.optim.Optimizer:
        """See `Optimizer.build`."""
        matrices, kernels, others = split(model)
        options = self.options
        parts: list[torch.optim.Optimizer] = []
        if matrices or kernels:
            parts.append(Orthogonalised(matrices + kernels, options.lr, options.momentum, options.weight_decay))
        if others:
            parts.append(
                torch.optim.AdamW(
                    decayed_groups([], others, 0.0),
                    lr=options.adamw_lr,
                    betas=(options.adamw_beta1, options.adamw_beta2),
                    fused=fused(others),
                )
            )
        return Together(parts)


class Orthogonalised(torch.optim.Optimizer):
    """Muon with Nesterov's momentum: torch's, for kernels too, and in float32 on a CPU.

    Torch's takes matrices only, and orthogonalises in bfloat16, which most CPUs do not compute: a matrix of 1536 x 384
    takes 30 times as long. A kernel is updated as the matrix of its output channels (Jordan et al. 2024).

    Args:
        parameters: With two axes or more.
        lr: Learning rate.
        momentum: Decay of the mean of gradients.
        weight_decay: Times the learning rate, at each update.
    """

    def __init__(self, parameters: list[nn.Parameter], lr: float, momentum: float, weight_decay: float) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one update."""
        del closure
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state, momentum = self.state[parameter], group["momentum"]
        if "mean" not in state:
            state["mean"] = torch.zeros_like(gradient)
        mean = state["mean"].lerp_(gradient, 1 - momentum)
        update = _orthogonal(gradient.lerp(mean, momentum).flatten(1))
        rate = group["lr"] * max(1.0, update.shape[0] / update.shape[1]) ** 0.5
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(update.view(parameter.shape).to(parameter.dtype), alpha=-rate)


def _orthogonal(matrix: Tensor) -> Tensor:
    """Bring the matrix's singular values near to 1, by Newton and Schulz's iteration with Muon's coefficients.

    Each step multiplies the matrix from the left by a polynomial of its Gram matrix, and all of these commute: in
    float32 they are multiplied first, and with the long side of the matrix only once. (Not in bf16: what a gradient's
    small singular values leave in the Gram matrix would drown in its rounding.)
    """
    near = matrix.float() if matrix.device.type == "cpu" else matrix.bfloat16()
    tall = near.shape[0] > near.shape[1]
    near = near.T if tall else near
    near = near / near.norm().clamp(min=1e-7)
    if near.dtype == torch.float32:
        near = _product(near @ near.T) @ near
    else:
        for _ in range(STEPS):
            near = torch.addmm(near, _polynomial(near @ near.T), near, beta=A)
    return (near.T if tall else near).contiguous()


def _product(gram: Tensor) -> Tensor:
    """Return the product of all steps' polynomials of the Gram matrix, which each step changes."""
    whole = torch.eye(len(gram))
    for left in reversed(range(STEPS)):
        step = _polynomial(gram)
        step.diagonal().add_(A)
        whole = step @ whole
        gram = step @ gram @ step if left else gram
    return whole


def _polynomial(gram: Tensor) -> Tensor:
    return torch.addmm(gram, gram, gram, beta=B, alpha=C)


class Together(torch.optim.Optimizer):
    """Several optimizers that step as one; their groups are the parts' own, so a schedule reaches all of them.

    Args:
        parts: Each over parameters of its own.
    """

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        self.parts = parts
        super().__init__([group for part in parts for group in part.param_groups], {})
        self.param_groups = [group for part in parts for group in part.param_groups]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
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
