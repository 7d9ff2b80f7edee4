"""Keeps Lightning's advice off the terminal, and nothing else: other warnings pass."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet"]

LOGGERS = ("lightning", "lightning.pytorch", "lightning.fabric")

ADVICE = (
    r".*does not have many workers.*",
    r".*You defined a `validation_step` but have no `val_dataloader`.*",
    r".*smaller than the logging interval.*",
    r".*module\(s\) in eval mode at the start of training.*",
    r".*GPU available but not used.*",
    r".*TPU available but not used.*",
    r".*srun.*command is available on your system.*",
    r".*isinstance\(treespec, LeafSpec\).*",
)
"""Beginnings of warnings that tell a user of Lightning what a user of mmlm cannot or need not change."""


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Lightning's advice within the block."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for message in ADVICE:
            warnings.filterwarnings("ignore", message)
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
