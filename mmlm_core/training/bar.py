"""The progress of a training on the terminal: one moving line, and one line that stays for each validation."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from mmlm_core.training.clock import Clock

__all__ = ["Bar", "duration"]

INTERVAL = 0.5
"""Seconds between two drawings: drawing costs time that the training would have."""

SHOWN = 3
"""Figures of a validation on its line, beside the loss."""


class Bar:
    """Shows epoch, step, loss, speed and the time left; where the output is no terminal, only the validations.

    Args:
        console: Where to write.
        monitor: The figure that a better model is known by; it stands first.
        epochs: Epochs at most; None: no limit.
        visible: Whether to show anything.
    """

    def __init__(self, console: Console, monitor: str, epochs: int | None, visible: bool = True) -> None:
        self._console = console
        self._monitor = monitor
        self._epochs = epochs
        self._visible = visible
        self._clock = Clock(None, None)
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._drawn = 0.0
        self._loss = ""
        self._speed = ""
        self._validation = ""

    def start(self, clock: Clock, step: int) -> None:
        """Begin."""
        self._clock = clock
        if self._visible and self._console.is_terminal:
            self._progress = Progress(
                TextColumn("{task.description}"), BarColumn(bar_width=16), TextColumn("{task.fields[state]}"),
                console=self._console, auto_refresh=False, transient=True,
            )  # fmt: skip
            self._task = self._progress.add_task("", total=1.0, state="")
            self._progress.start()
            self.step(step, 0)

    def figures(self, figures: Mapping[str, float]) -> None:
        """Take the latest figures of training."""
        self._loss = f"loss {figures['loss']:.3f}" if "loss" in figures else ""
        if "samples_per_second" in figures:
            self._speed = f"{figures['samples_per_second']:,.0f} samples/s"

    def step(self, step: int, epoch: int) -> None:
        """Draw, if it is time."""
        if self._progress is None:
            return
        now = time.monotonic()
        if now - self._drawn < INTERVAL:
            return
        self._drawn = now
        left = self._clock.left(step)
        parts = [f"step {step:,}", self._loss, self._speed, "" if left is None else f"{duration(left)} left",
                 self._validation]  # fmt: skip
        of = f"/{self._epochs}" if self._epochs else ""
        self._progress.update(self._task, completed=self._clock.share(step), description=f"epoch {epoch + 1}{of}",
                              state=" · ".join(filter(None, parts)))  # fmt: skip
        self._progress.refresh()

    def validated(self, step: int, epoch: int, loss: float | None, figures: Mapping[str, float], better: bool) -> None:
        """Write a validation's line.

        Args:
            step: Updates so far.
            epoch: From 0.
            loss: The mean loss of training since the validation before; None: nothing was trained.
            figures: Of the validation.
            better: Whether it is the best so far, whose weights are kept.
        """
        if not self._visible:
            return
        first = [self._monitor] if self._monitor in figures else []
        names = dict.fromkeys([*first, *figures])
        names.pop("loss", None)
        shown = [f"{name} {figures[name]:.3f}" for name in list(names)[:SHOWN]]
        self._validation = f"{shown[0]}" if shown else f"validation loss {figures.get('loss', 0):.3f}"
        trained = "" if loss is None else f"loss {loss:.3f}"
        parts = [f"epoch {epoch + 1:>3}", f"step {step:>6,}", trained, f"validation loss {figures['loss']:.3f}",
                 *shown, "best" if better else ""]  # fmt: skip
        self._console.print("  ".join(filter(None, parts)), highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Take the moving line away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def duration(seconds: float) -> str:
    """Return a duration as `1:05:09` or `5:09` (hours, minutes, seconds)."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
