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
            alike: dict[torch.Size, list[tuple[Tensor, Tensor]]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike.setdefault(parameter.shape, []).append((parameter, parameter.grad))
            for pairs in alike.values():
                self._update(pairs, group)

    def _update(self, pairs: list[tuple[Tensor, Tensor]], group: dict[str, Any]) -> None:
        """Update parameters of one shape, each given with its gradient."""
        parameters, gradients = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        means = [self._mean(parameter) for parameter in parameters]
        torch._foreach_lerp_(means, gradients, 1 - group["momentum"])
        wanted = torch._foreach_lerp(gradients, means, group["momentum"])
        updates = _orthogonal([each.flatten(1) for each in wanted])
        rate = group["lr"] * max(1.0, updates[0].shape[0] / updates[0].shape[1]) ** 0.5
        torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
        shaped = [each.reshape(parameters[0].shape).to(parameters[0].dtype) for each in updates]
        torch._foreach_add_(parameters, shaped, alpha=-rate)

    def _mean(self, parameter: Tensor) -> Tensor:
        state = self.state[parameter]
        if "mean" not in state:
            state["mean"] = torch.zeros_like(parameter)
        return state["mean"]  # type: ignore[no-any-return]


def _orthogonal(matrices: list[Tensor]) -> list[Tensor]:
    """Bring the singular values of matrices of one shape near to 1, by Newton and Schulz's iteration, as Muon's.

    On a CPU one after the other in float32; elsewhere all at once in bf16: there the number of kernels is the time.
    """
    if matrices[0].device.type == "cpu":
        return [_in_float32(matrix) for matrix in matrices]
    return list(_in_bf16(torch.stack(matrices)))


def _in_float32(matrix: Tensor) -> Tensor:
    """Multiply the steps' polynomials of the Gram matrix, which all commute, before the long side of the matrix.

    (Not in bf16: what a gradient's small singular values leave in the Gram matrix would drown in its rounding.)
    """
    near = matrix.float()
    tall = near.shape[0] > near.shape[1]
    near = near.T if tall else near
    near = near / near.norm().clamp(min=1e-7)
    near = _product(near @ near.T) @ near
    return (near.T if tall else near).contiguous()  # type: ignore[no-any-return]


def _in_bf16(matrices: Tensor) -> Tensor:
    """Take the steps one after the other.

    Shape: [N, R, C] -> [N, R, C].
    """
    near = matrices.bfloat16()
    tall = near.shape[1] > near.shape[2]
    near = near.mT if tall else near
    near = near / near.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(STEPS):
        gram = near @ near.mT
        polynomial = torch.baddbmm(gram, gram, gram, beta=B, alpha=C)
        near = torch.baddbmm(near, polynomial, near, beta=A)
    return (near.mT if tall else near).contiguous()


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
