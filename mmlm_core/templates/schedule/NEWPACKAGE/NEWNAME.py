"""The schedule `NEWNAME`. Imports no torch."""

from __future__ import annotations

from mmlm_core.interfaces.schedule import Schedule

from NEWPACKAGE.plugin import NEWCLASSOptions

__all__ = ["NEWCLASSSchedule"]

LEAST = 0.01
"""The factor of the first step, so that it is not lost."""


class NEWCLASSSchedule(Schedule):
    """Rises in a straight line, then falls by a power.

    Args:
        options: The options.
    """

    def __init__(self, options: NEWCLASSOptions) -> None:
        self.options = options

    def factor(self, step: int, progress: float) -> float:
        """Return the factor on the learning rate, from 0 to 1."""
        del step
        warmup = self.options.warmup
        if progress < warmup:
            return max(progress / warmup, LEAST)
        left = max(1 - progress, 0) / (1 - warmup)
        return float(left**self.options.power)
