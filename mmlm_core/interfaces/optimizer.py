"""The contract of optimizers."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import nn

__all__ = ["Optimizer"]


class Optimizer(ABC):
    """Makes a torch optimizer for a model's parameters. Built as `Class(options)`."""

    @abstractmethod
    def build(self, model: nn.Module) -> torch.optim.Optimizer:
        """Return the optimizer of every parameter that requires a gradient.

        Each group's `lr` is its peak; the schedule scales it.
        """
