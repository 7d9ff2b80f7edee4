"""What the benchmarks share: turns (A B A B ...), medians of ratios, and the cores that are free."""

import os
import statistics
import time
from collections.abc import Callable


def cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def seconds(work: Callable[[], object]) -> float:
    """Return the time that one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


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
