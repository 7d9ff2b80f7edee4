"""The faults that every kind with weights can have: state, chance, gradients."""

import random

import torch
from torch import Tensor, nn

GLOBAL = {"running": 1.0}


class Quirk(nn.Module):
    """Scales by a running statistic, as a norm does; and has the fault that it is told."""

    shared = 1.0

    def __init__(self, fault: str, width: int) -> None:
        super().__init__()
        self.fault = fault
        self.shift = nn.Parameter(torch.zeros(width))
        if fault == "plain_attribute":
            self.running = torch.ones(())
        else:
            self.register_buffer("running", torch.ones(()), persistent=fault != "buffer_that_is_not_saved")
        self.steps = 0
        if fault == "unused_parameter":
            self.spare = nn.Parameter(torch.zeros(3))
        if fault == "random_constant":
            self.offset = torch.randn(width)
        if fault == "unseeded":
            self.shift.data.fill_(random.random())
        if fault == "unseeded_constant":
            self.offset = torch.full((width,), random.uniform(-9, 9))
        if fault == "order_of_a_set":
            words = {f"word {number}" for number in range(50)}
            self.shift.data += sum(place * int(word[5:]) for place, word in enumerate(words)) / 50**3

    def forward(self, values: Tensor) -> Tensor:
        """Shape: [..., D] -> [..., D]."""
        out = (values + self.shift) * self._scale()
        self._learn(values.detach())
        if self.fault == "counts_its_steps" and self.training:
            self.steps += 1
            out = out * 0.9**self.steps  # in training alone
        if self.fault == "dropout_in_evaluation":
            out = nn.functional.dropout(out, 0.5, training=True)
        if self.fault == "unseeded_noise" and self.training:
            out = out + random.random()
        if self.fault in ("random_constant", "unseeded_constant"):
            out = out + self.offset
        return out

    def _scale(self) -> Tensor | float:
        if self.fault == "state_on_the_class":
            return Quirk.shared
        if self.fault == "state_in_the_module":
            return GLOBAL["running"]
        return self.running.clone()  # what it learns next must not reach back

    def _learn(self, values: Tensor) -> None:
        if values.numel() == 0 or not (self.training or self.fault == "learns_in_evaluation"):
            return
        new = 0.9 * self.running + 0.1 * values.abs().mean().clamp(max=2)
        if self.fault == "state_on_the_class":
            Quirk.shared = float(0.9 * Quirk.shared + 0.1 * values.abs().mean())
        elif self.fault == "state_in_the_module":
            GLOBAL["running"] = float(0.9 * GLOBAL["running"] + 0.1 * values.abs().mean())
        elif self.fault == "plain_attribute":
            self.running = new
        elif self.fault == "buffer_made_late":
            self.register_buffer("late", new)
        else:
            self.running.copy_(new)
