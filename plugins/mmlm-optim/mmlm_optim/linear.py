"""The schedule `linear`."""

from __future__ import annotations

from mmlm_core.interfaces.schedule import Schedule
from mmlm_optim.options import LinearOptions
from mmlm_optim.warmup import fall, rise

__all__ = ["Linear"]


class Linear(Schedule):
    """Warm-up, then a straight line down to the floor."""

    def __init__(self, options: LinearOptions) -> None:
        self.options = options

    def factor(self, step: int, progress: float) -> float:
        """See `Schedule.factor`."""
        del step
        warmup, floor = self.options.warmup, self.options.floor
        if progress < warmup:
            return rise(progress, warmup)
        return floor + (1 - floor) * (1 - fall(progress, warmup))
