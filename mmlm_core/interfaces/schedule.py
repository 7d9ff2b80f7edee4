"""The contract of schedules. Imports no torch."""

from __future__ import annotations

from abc import ABC, abstractmethod

__all__ = ["Schedule"]


class Schedule(ABC):
    """The factor on the learning rate over a training. Built as `Class(options)`."""

    @abstractmethod
    def factor(self, step: int, progress: float) -> float:
        """Return the factor, from 0 to 1.

        Args:
            step: Updates made so far.
            progress: The share of the training that is done, from 0 to 1, by steps or by the clock.
        """
