"""The optimizer `sgd`."""

from __future__ import annotations

import torch
from torch import nn

from mmlm_core.interfaces import Optimizer
from mmlm_optim.options import SgdOptions
from mmlm_optim.parameters import decayed_groups, split

__all__ = ["Sgd"]


class Sgd(Optimizer):
    """Makes torch's SGD."""

    def __init__(self, options: SgdOptions) -> None:
        self.options = options

    def build(self, model: nn.Module) -> torch.optim.Optimizer:
        """See `Optimizer.build`."""
        matrices, kernels, others = split(model)
        options = self.options
        return torch.optim.SGD(
            decayed_groups(matrices + kernels, others, options.weight_decay),
            lr=options.lr,
            momentum=options.momentum,
            nesterov=options.nesterov and options.momentum > 0,
        )
