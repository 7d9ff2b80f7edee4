"""Ctrl-C in a training, or its terminal closed: the first asks for a checkpoint after this step, the second stops."""

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

SIGNALS = [signal.SIGINT, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
EXIT_CODE = 128 + signal.SIGINT
"""What a process ends with that was interrupted, as shells count it."""


class Interrupts:
    """Hears SIGINT, and SIGHUP unless it is ignored (`nohup`), while a training runs, and says afterwards how to go on.

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

    def __enter__(self) -> Interrupts:
        """Begin to hear; only a process's main thread may."""
        if threading.current_thread() is threading.main_thread():
            heard = [each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
            self._before = {each: signal.signal(each, self._hear) for each in heard}
        return self

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
            raise SystemExit(EXIT_CODE) from error

    def _hear(self, number: int, frame: object) -> None:
        if os.getpid() != self._process:  # a forked worker, which ends when the training does
            return
        if self.asked or not self._waits:
            raise KeyboardInterrupt
        self.asked = True
        self._tell("\nStopping after this step; Ctrl-C again stops at once.")

    def _tell(self, text: str) -> None:
        with suppress(OSError):  # the terminal may be gone
            self._console.print(text, soft_wrap=True)
