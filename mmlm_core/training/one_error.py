"""One error for all processes of a training: that which fails first tells why, and the others end quietly."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch.distributed import DistError

from mmlm_core.errors import MmlmError, RunError
from mmlm_core.runs import RunFolder, is_first_here, is_main

__all__ = ["one_error"]

PATIENCE = 2.0
"""Seconds in which another process has told its error, once its connection is closed."""

CLOSED = ("gloo", "NCCL", "Connection closed by peer", "Connection reset by peer", "Broken pipe")
"""What the transport between processes says where one of them has ended; it raises a bare `RuntimeError`."""

FAILED = 2


@contextmanager
def one_error(folder: RunFolder, processes: int) -> Iterator[None]:
    """Let one process alone tell why a training of several has failed.

    Args:
        folder: The run, through which they know of each other.
        processes: Of the training.

    Raises:
        MmlmError: A row that cannot be used; or another process has ended, and nobody knows why.
        SystemExit: Why has been told.
    """
    try:
        yield
    except MmlmError as error:
        if processes == 1:
            raise
        if not _claimed(_path(folder)):
            raise SystemExit(FAILED) from error
        if is_first_here():
            raise
        sys.stderr.write(f"error: {error}\n")  # which the commands leave to the first process
        sys.stderr.flush()
        raise SystemExit(FAILED) from error
    except RuntimeError as error:
        if processes == 1 or not (isinstance(error, DistError) or any(word in str(error) for word in CLOSED)):
            raise
        if not is_main() or _appears(_path(folder)):
            raise SystemExit(FAILED) from error
        raise RunError("Another process of this training has ended: what it wrote says why.") from error


def _path(folder: RunFolder) -> Path:
    """Return the file that is there once an error is told: by these processes, not in a training before."""
    return folder.path / f".error-{os.environ.get('MASTER_PORT', '')}.tmp"  # `clean` removes it


def _claimed(path: Path) -> bool:
    """Whether this process is the first to tell an error."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _appears(path: Path) -> bool:
    until = time.monotonic() + PATIENCE
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)
    return path.exists()
