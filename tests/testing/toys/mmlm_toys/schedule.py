"""A schedule that falls to zero."""

import random

from mmlm_core.interfaces import Schedule


class ToySchedule(Schedule):
    """One minus the progress."""

    def __init__(self, options: object) -> None:
        self.fault = getattr(options, "fault", "")
        self.last = 0.0

    def factor(self, step: int, progress: float) -> float:
        if self.fault == "above_one":
            return 1.5 - progress
        if self.fault == "below_zero_at_the_end":
            return 1.0 - 1.001 * progress
        if self.fault == "above_one_late":
            return min(1.0 + step / 1e6, 2.0)
        if self.fault == "nan_at_the_start":
            return 1.0 - progress if step else float("nan")
        if self.fault == "never_rises":
            return 0.1
        if self.fault == "remembers":
            self.last = 0.5 * self.last + 0.5 * (1.0 - progress)
            return self.last
        if self.fault == "random":
            return random.random()
        return 1.0 - progress
