"""Sums losses on the device and reads them rarely, so that a step never waits for the device."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from mmlm_core.types import Loss

__all__ = ["Meter"]

Reduce = Callable[[Tensor], Tensor]


class Meter:
    """Losses, figures and throughput since the last reading.

    Attributes:
        reduce: Sums a tensor over the ranks; None: there is one rank.
        ranks: How many ranks there are.
    """

    def __init__(self) -> None:
        self.reduce: Reduce | None = None
        self.ranks = 1
        self._losses: list[tuple[Tensor, Tensor, Mapping[str, Tensor]]] = []
        self._sums: dict[str, float] = {}
        self._rows = 0
        self._seconds = 0.0
        self._since: float | None = None
        self._shown = [0.0, 0.0]

    def add(self, loss: Loss, rows: int) -> None:
        """Take in a batch; nothing is computed yet."""
        self._losses.append((loss.total.detach(), loss.count, loss.figures))
        self._rows += rows

    def run(self) -> None:
        """Let the time run that throughput is measured over."""
        self._since = time.perf_counter()

    def pause(self) -> None:
        """Let the time stand, as in a validation."""
        if self._since is not None:
            self._seconds += time.perf_counter() - self._since
            self._since = None

    def read(self) -> dict[str, float]:
        """Return the means since the last reading, and begin anew.

        Returns:
            `loss` and the head's figures, as means over what is counted; `count`; and where time was running
            `samples_per_second` and `counts_per_second`. Empty where nothing was taken in.
        """
        self._fold()
        running = self._since is not None
        self.pause()
        sums, rows, seconds = self._sums, self._rows * self.ranks, self._seconds
        self._sums, self._rows, self._seconds = {}, 0, 0.0
        if running:
            self.run()
        if not sums:
            return {}
        count = sums.pop("count")
        figures = {name: value / max(count, 1.0) for name, value in sums.items()} | {"count": count}
        if seconds > 0:
            figures |= {"samples_per_second": rows / seconds, "counts_per_second": count / seconds}
        return figures

    def mean_loss(self) -> float | None:
        """Return the mean loss since the last time that it was asked for; None where nothing was taken in.

        Whatever is read in between is not lost to it, nor is what it returns lost to the next reading.
        """
        self._fold()
        total, count = self._shown
        self._shown = [0.0, 0.0]
        return total / count if count else None

    def state_dict(self) -> dict[str, Any]:
        """Return what was taken in since the last reading."""
        self._fold()
        running = self._since is not None
        self.pause()
        if running:
            self.run()
        return {"sums": dict(self._sums), "rows": self._rows, "seconds": self._seconds}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._sums, self._rows, self._seconds = dict(state["sums"]), state["rows"], state["seconds"]

    def _fold(self) -> None:
        """Add the tensors up and read them, in one go."""
        if not self._losses:
            return
        names = sorted(self._losses[0][2])
        columns = [[total for total, _, _ in self._losses], [count for _, count, _ in self._losses]]
        columns += [[figures[name].detach() for _, _, figures in self._losses] for name in names]
        with torch.no_grad():
            sums = torch.stack([torch.stack(column).float().sum() for column in columns])
            values = (sums if self.reduce is None else self.reduce(sums)).tolist()
        for name, value in zip(["loss", "count", *names], values, strict=True):
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._shown = [shown + value for shown, value in zip(self._shown, values[:2], strict=True)]
        self._losses.clear()
