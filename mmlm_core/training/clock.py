"""How far a training is: by its updates, and by the clock."""

from __future__ import annotations

import time

__all__ = ["Clock"]


class Clock:
    """The share of a training that is done, and whether it has reached a limit.

    Args:
        steps: Updates at most; None: no limit.
        minutes: Minutes at most, validation included; None: no limit.
    """

    def __init__(self, steps: int | None, minutes: float | None) -> None:
        self.steps = steps
        self.seconds = None if minutes is None else minutes * 60
        self._before = 0.0
        self._started: float | None = None
        self._share = 0.0
        self._reserve = 0.05 * (self.seconds or 0.0)  # until a validation has shown how long it takes
        self._agreed: float | None = None

    def start(self) -> None:
        """Start to count the time."""
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds of training, those before an interruption included."""
        return self._before + (0.0 if self._started is None else time.monotonic() - self._started)

    def agree(self, elapsed: float) -> None:
        """Take the first rank's time for this one's until the next call, so that all ranks decide alike."""
        self._agreed = elapsed

    def reserve(self, seconds: float) -> None:
        """Keep some seconds for the last validation, so that it ends within the limit."""
        if self.seconds is not None:
            self._reserve = min(seconds, 0.5 * self.seconds)

    def share(self, step: int) -> float:
        """Return the share that is done after some updates, from 0 to 1; it never falls."""
        by_steps = step / self.steps if self.steps else 0.0
        by_time = 0.0
        if self.seconds is not None:
            by_time = self._now / (self.seconds - self._reserve) if self.seconds > self._reserve else 1.0
        self._share = min(1.0, max(self._share, by_steps, by_time))
        return self._share

    def done(self, step: int) -> bool:
        """Whether a limit is reached after some updates."""
        if self.steps is not None and step >= self.steps:
            return True
        return self.seconds is not None and self._now >= self.seconds - self._reserve

    def left(self, step: int) -> float | None:
        """Return the seconds that the rest will take at the pace so far; None where that is not known yet."""
        share = self.share(step)
        if self.seconds is not None and (self.steps is None or share > step / self.steps):
            return max(0.0, self.seconds - self._reserve - self.elapsed)
        return self.elapsed * (1 - share) / share if share else None

    @property
    def _now(self) -> float:
        return self.elapsed if self._agreed is None else self._agreed

    def state_dict(self) -> dict[str, float]:
        """Return what a resumed training goes on with."""
        return {"elapsed": self.elapsed, "share": self._share, "reserve": self._reserve}

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Go on from a state."""
        self._before, self._share, self._reserve = state["elapsed"], state["share"], state["reserve"]
