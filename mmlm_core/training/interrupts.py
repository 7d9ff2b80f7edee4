"""Ctrl-C in a training, `kill`, its terminal closed: the first asks for a checkpoint after its step, the next stops."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console

__all__ = ["Interrupts"]

SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


class Interrupts:
    """Hears SIGINT, SIGTERM, and SIGHUP (unless `nohup` ignores it) while a training runs, and says then how to go on.

    Under Slurm, SIGTERM is Lightning's, which may put the job back into the queue.

    Args:
        console: The terminal.
        folder: The run.
        waits: Whether the training can be asked to stop after its step; else it is stopped at once. The processes of
            one job would not stop after the same step.

    Attributes:
        asked: Whether the training shall write a checkpoint and stop.
    """

    def __init__(self, console: Console, folder: Path, waits: bool) -> None:
        self.asked = False
        self._console = console
        self._folder = folder
        self._waits = waits
        self._process = os.getpid()
        self._before: dict[signal.Signals, Any] = {}
        self._heard = int(signal.SIGINT)

    def __enter__(self) -> Interrupts:
        """Begin to hear; only a process's main thread may."""
        if threading.current_thread() is threading.main_thread():
            left = {signal.SIGTERM} if "SLURM_JOB_ID" in os.environ else set()
            heard = [each for each in SIGNALS if each not in left and signal.getsignal(each) is not signal.SIG_IGN]
            self._before = {each: signal.signal(each, self._hear) for each in heard}
        return self

    def hear_alone(self) -> None:
        """Hear what Lightning hears as well by now, without it.

        At SIGTERM it lets each process of a job wait for the others, whatever these wait for themselves: they hang.
        """
        for each in self._before:
            signal.signal(each, self._hear)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Hear no more; Lightning would leave the process deaf, and answers an interrupt by `SystemExit`.

        Raises:
            SystemExit: The training was interrupted.
        """
        for each, before in self._before.items():
            signal.signal(each, before)
        if kind is not None and issubclass(kind, SystemExit | KeyboardInterrupt):
            self._tell(f"\nInterrupted. Go on with `mmlm train --resume {self._folder}`.")
            raise SystemExit(128 + self._heard) from error  # as shells count it

    def _hear(self, number: int, frame: object) -> None:
        if os.getpid() != self._process:  # a forked worker, which ends when the training does
            return
        self._heard = number
        if self.asked or not self._waits:
            raise KeyboardInterrupt
        self.asked = True
        again = "Ctrl-C again" if number == signal.SIGINT else "a second signal"
        self._tell(f"\nStopping after this step; {again} stops at once.")

    def _tell(self, text: str) -> None:
        with suppress(OSError):  # the terminal may be gone
            self._console.print(text, soft_wrap=True)
