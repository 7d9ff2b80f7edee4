"""The schedule `constant`."""

from __future__ import annotations

from mmlm_core.interfaces.schedule import Schedule
from mmlm_optim.options import ConstantOptions
from mmlm_optim.warmup import rise

__all__ = ["Constant"]


class Constant(Schedule):
    """Warm-up, then the peak to the end."""

    def __init__(self, options: ConstantOptions) -> None:
        self.options = options

    def factor(self, step: int, progress: float) -> float:
        """See `Schedule.factor`."""
        del step
        return rise(progress, self.options.warmup)
