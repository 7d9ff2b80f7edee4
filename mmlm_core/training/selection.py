"""Which weights are the best so far, and when to stop waiting for better ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["Selection"]


class Selection:
    """Keeps the best validation in mind.

    Args:
        monitor: The figure, and whether `min` or `max` is better, as a head states them.
        patience: Validations without a better one after which to stop; None: never.
    """

    def __init__(self, monitor: tuple[str, str], patience: int | None = None) -> None:
        self.name, self.mode = monitor
        self.patience = patience
        self.best: float | None = None
        self.best_step = 0
        self.figures: dict[str, float] = {}
        self.stale = 0

    def is_better(self, figures: Mapping[str, float], step: int) -> bool:
        """Take in a validation, and return whether it is the best so far.

        Where the figure was not measured, the loss stands for it; where it equals the best (as an exact match of 0
        does for long), the lower loss is better.
        """
        if self.name not in figures:
            self.name, self.mode = "loss", "min"
        value = figures[self.name]
        sign = 1 if self.mode == "max" else -1
        better = self.best is None or (math.isfinite(value) and not sign * value <= sign * self.best)
        if value == self.best:
            better = figures["loss"] < self.figures["loss"]
        if better:
            self.best, self.best_step, self.figures, self.stale = value, step, dict(figures), 0
        else:
            self.stale += 1
        return better

    @property
    def exhausted(self) -> bool:
        """Whether the patience is at its end."""
        return self.patience is not None and self.stale >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training goes on with."""
        return {"name": self.name, "mode": self.mode, "best": self.best, "best_step": self.best_step,
                "figures": dict(self.figures), "stale": self.stale}  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.name, self.mode, self.best = state["name"], state["mode"], state["best"]
        self.best_step, self.figures, self.stale = state["best_step"], dict(state["figures"]), state["stale"]
