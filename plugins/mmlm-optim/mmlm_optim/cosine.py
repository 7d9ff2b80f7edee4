"""The schedule `cosine`."""

from __future__ import annotations

import math

from mmlm_core.interfaces.schedule import Schedule
from mmlm_optim.options import CosineOptions
from mmlm_optim.warmup import fall, rise

__all__ = ["Cosine"]


class Cosine(Schedule):
    """Warm-up, then a half cosine down to the floor (Loshchilov and Hutter 2017)."""

    def __init__(self, options: CosineOptions) -> None:
        self.options = options

    def factor(self, step: int, progress: float) -> float:
        """See `Schedule.factor`."""
        del step
        warmup, floor = self.options.warmup, self.options.floor
        if progress < warmup:
            return rise(progress, warmup)
        return floor + (1 - floor) * (1 + math.cos(math.pi * fall(progress, warmup))) / 2
