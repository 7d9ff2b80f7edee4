"""How many processes prepare rows beside the training: as many as help on this machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from mmlm_core import machine
from mmlm_core.data.dataset import Prepared, Row, size_of
from mmlm_core.errors import DataError
from mmlm_core.interfaces import Stream
from mmlm_core.settings import LoaderOptions
from mmlm_core.types import Example

__all__ = ["Workers", "choose_workers"]

TRIED = 8
"""Rows that are prepared to see what one costs; the first, which imports what it needs, is not counted."""

CHEAP = 0.01
"""Seconds of a batch's preparation below which it costs more to hand it over."""

SHORT = 5.0
"""Seconds of all rows' preparation below which workers are not worth their start."""

MOST = 8


@dataclass(frozen=True)
class Workers:
    """How many, and why.

    Attributes:
        count: Processes beside the training's own.
        seconds: What the preparation of a row takes; None: nobody has looked.
    """

    count: int
    seconds: float | None = None

    def told(self) -> str:
        """Return it in words; empty where there are none."""
        if not self.count:
            return ""
        why = "" if self.seconds is None else f" (a row takes {self.seconds * 1000:.2g} ms)"
        return f"{self.count} worker{'' if self.count == 1 else 's'}{why}"


def choose_workers(prepared: Prepared, options: LoaderOptions, processes: int = 1) -> Workers:
    """Return what `loader.workers` says; `auto` tries some rows.

    There are none where a process has one core, or rows are cheap or few; nor where all prepared rows fit into the
    memory that is theirs, since each worker would keep its own, and a row comes to another worker in every epoch. Else
    half of the cores.

    Args:
        prepared: The rows.
        options: What is asked for, the size of a batch, and the room for rows that are kept.
        processes: How many processes share the machine's cores.
    """
    if options.workers != "auto":
        return Workers(int(options.workers))
    share = machine.cores() // max(1, processes)
    if share < 2:
        return Workers(0)
    costs, sizes = [], []
    with suppress(DataError):  # a row that cannot be used: its own turn tells
        rows = _some(prepared)
        next(rows, None)
        began = time.perf_counter()
        for row in rows:
            costs.append(time.perf_counter() - began)
            sizes.append(size_of(row))
            began = time.perf_counter()
    if not costs:
        return Workers(0)
    seconds = statistics.median(costs)
    cheap = seconds * options.batch_size < CHEAP
    if not cheap and not isinstance(prepared.examples, Stream):
        count = len(prepared.examples)
        cheap = seconds * count < SHORT or statistics.mean(sizes) * count <= prepared.cache_bytes
    return Workers(0 if cheap else min(MOST, share // 2), seconds)


def _some(prepared: Prepared) -> Iterator[Row]:
    """Yield some rows, prepared, which are spread evenly; the first ones of a stream."""
    examples = prepared.examples
    given: Iterator[Example]
    if isinstance(examples, Stream):
        given = islice(examples, TRIED + 1)
    else:
        count = min(len(examples), TRIED + 1)
        given = (examples[place * len(examples) // count] for place in range(count))
    for example in given:
        row = prepared.row(example)
        if isinstance(row, Row):
            yield row
