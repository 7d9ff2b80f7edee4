"""What the benchmarks share: turns (A B A B ...), medians of ratios, the cores that are free, and a GPU where there is one."""

import os
import statistics
import time
from collections.abc import Callable
from itertools import pairwise


def cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def device() -> str:
    """Return where models are measured: on a GPU where there is one, as the command line does."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def machine() -> str:
    """Return what is measured on."""
    import torch

    return torch.cuda.get_device_name() if device() == "cuda" else f"{cores()} cores"


def wait() -> None:
    """Wait until a GPU has done what it was given."""
    import torch

    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def seconds(work: Callable[[], object]) -> float:
    """Return the time that one call takes."""
    wait()
    started = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - started


class Steps:
    """The times of a training's updates, as a hook on its optimizer.

    Args:
        count: Updates that are made.
        skip: Those at the beginning that are not measured.
    """

    def __init__(self, count: int, skip: int) -> None:
        self.count, self.skip = count, skip
        self._times: list[float] = []

    def __call__(self, *_: object) -> None:
        if len(self._times) in (self.skip, self.count - 1):
            wait()  # a GPU works behind the steps: it is waited for before the first and after the last that count
        self._times.append(time.perf_counter())

    def typical(self, quantile: float = 0.5) -> float:
        """Return the median time of a step (or another quantile); on a GPU the mean."""
        if device() == "cuda":
            return (self._times[self.count - 1] - self._times[self.skip]) / (self.count - 1 - self.skip)
        gaps = sorted(b - a for a, b in pairwise(self._times[self.skip :]))
        return gaps[int(len(gaps) * quantile)]


def ratio(ours: Callable[[], float], theirs: Callable[[], float], rounds: int = 5) -> tuple[float, float, float]:
    """Return the median of theirs / ours over rounds in turns, and the lowest and highest: above 1, ours is faster."""
    ratios = []
    for _ in range(rounds):
        a, b = ours(), theirs()
        ratios.append(b / a)
    return statistics.median(ratios), min(ratios), max(ratios)


def line(what: str, figures: tuple[float, float, float], goal: str) -> None:
    """Print a ratio with its spread and the goal."""
    median, low, high = figures
    print(f"{what:64} {median:5.2f} x  ({low:.2f} to {high:.2f}; goal {goal})", flush=True)
