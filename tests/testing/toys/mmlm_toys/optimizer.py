"""An optimizer with a momentum."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mmlm_core.interfaces import Optimizer
from mmlm_toys.plugin import ToyOptions


class ToyOptimizer(Optimizer):
    """Builds one group of all that is trained."""

    def __init__(self, options: ToyOptions) -> None:
        self.fault = options.fault

    def build(self, model: nn.Module) -> torch.optim.Optimizer:
        parameters = [p for p in model.parameters() if p.requires_grad or self.fault == "moves_frozen_ones"]
        if self.fault == "leaves_out_vectors":
            parameters = [parameter for parameter in parameters if parameter.dim() > 1]
        if self.fault == "leaves_out_the_last":
            parameters = parameters[:-1]
        return Momentum(parameters, 0.0 if self.fault == "no_rate" else 0.1, self.fault)


class Momentum(torch.optim.Optimizer):
    """Steps along a running mean of the gradients."""

    def __init__(self, parameters: list[Tensor], lr: float, fault: str) -> None:
        super().__init__(parameters, {"lr": lr})
        self.fault = fault
        self.elsewhere: dict[Tensor, dict[str, Tensor]] = {}

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                if self.fault == "moves_frozen_ones" and not parameter.requires_grad:
                    parameter.mul_(0.9)  # weight decay
                if parameter.grad is None or (self.fault == "skips_numbers" and parameter.dim() == 0):
                    continue
                kept = self.elsewhere if self.fault == "keeps_its_state_elsewhere" else self.state
                state = kept.setdefault(parameter, {}) if kept is self.elsewhere else kept[parameter]
                mean = state.get("mean", torch.zeros_like(parameter))
                state["mean"] = 0.9 * mean + parameter.grad
                parameter.sub_(group["lr"] * state["mean"])
