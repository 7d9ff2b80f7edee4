"""The optimizer `muon`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

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
            parts.append(_Muon(matrices, lr=options.lr, momentum=options.momentum, weight_decay=options.weight_decay))
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


class _Muon(torch.optim.Muon):
    """Torch's Muon, which computes in float32 on a CPU.

    Torch orthogonalises in bfloat16, which most CPUs do not compute: a matrix of 1536 x 384 takes 30 times as long.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one update."""
        if any(p.device.type != "cpu" for group in self.param_groups for p in group["params"]):
            return super().step(closure)  # type: ignore[no-untyped-call]
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)
        return None

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state, momentum = self.state[parameter], group["momentum"]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        mean = state["momentum_buffer"].lerp_(gradient, 1 - momentum)
        update = gradient.lerp(mean, momentum) if group["nesterov"] else mean
        rate = group["lr"] * max(1.0, parameter.shape[0] / parameter.shape[1]) ** 0.5
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(_orthogonal(update.float(), group).to(parameter.dtype), alpha=-rate)


def _orthogonal(matrix: Tensor, group: dict[str, Any]) -> Tensor:
    """Bring the matrix's singular values near to 1, by Newton and Schulz's iteration."""
    a, b, c = group["ns_coefficients"]
    near = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    near = near / near.norm().clamp(min=group["eps"])
    for _ in range(group["ns_steps"]):
        gram = near @ near.T
        near = torch.addmm(near, torch.addmm(gram, gram, gram, beta=b, alpha=c), near, beta=a)
    return near.T if matrix.shape[0] > matrix.shape[1] else near


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
