"""The optimizer `adamw`."""

from __future__ import annotations

import torch
from torch import nn

from mmlm_core.interfaces import Optimizer
from mmlm_optim.options import AdamWOptions
from mmlm_optim.parameters import decayed_groups, fused, split

__all__ = ["AdamW"]


class AdamW(Optimizer):
    """Makes torch's AdamW, fused where it can be."""

    def __init__(self, options: AdamWOptions) -> None:
        self.options = options

    def build(self, model: nn.Module) -> torch.optim.Optimizer:
        """See `Optimizer.build`."""
        matrices, kernels, others = split(model)
        options = self.options
        optimizer = torch.optim.AdamW(
            decayed_groups(matrices + kernels, others, options.weight_decay),
            lr=options.lr,
            betas=(options.beta1, options.beta2),
            eps=options.eps,
            fused=fused(matrices + kernels + others),
        )
        # The fused update can unscale gradients itself; Lightning then refuses to clip them in mixed precision. Without
        # this mark the gradients are unscaled before the clipping, as for every other optimizer.
        optimizer._step_supports_amp_scaling = False
        return optimizer
