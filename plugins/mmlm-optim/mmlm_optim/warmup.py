"""The rise of the learning rate at the beginning, which all schedules share. Imports no torch."""

from __future__ import annotations

__all__ = ["fall", "rise"]


def rise(progress: float, warmup: float) -> float:
    """Return the factor of the warm-up: from a hundredth to 1, linear in the progress; 1 behind it."""
    return 1.0 if progress >= warmup else max(progress / warmup, 0.01)


def fall(progress: float, warmup: float) -> float:
    """Return how far the training is from the end of the warm-up to its own end: 0 to 1."""
    return min(max((progress - warmup) / (1 - warmup), 0.0), 1.0)
