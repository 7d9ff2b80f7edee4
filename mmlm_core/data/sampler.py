"""Which rows make which batch: a plan that follows from the seed and the epoch alone, so that a run can be resumed."""

from __future__ import annotations

import hashlib
import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.utils.data import Sampler

from mmlm_core.data.arranging import drawn
from mmlm_core.errors import DataError, OptionError

__all__ = ["Batches", "Draw", "OrderedBatches", "Plan", "ShuffledBatches", "State", "batch_bounds", "batch_count",
           "mixed_seed"]  # fmt: skip

Lengths: TypeAlias = Callable[[list[int]], list[int]]
"""Returns about how long rows are, by their indices."""

POOL = 100
"""Batches among which rows are sorted by their length."""

State = dict[str, int]
"""Where a plan stands: the epoch, the batch that comes next, and whatever else it takes to go on there."""


class Draw(NamedTuple):
    """One batch of the plan.

    Attributes:
        rows: The rows' indices; of a stream, the rows themselves.
        batch: Its number in the epoch, from 0.
        epoch: The epoch, from 0.
        rank: The process that it is for.
        after: Where the plan stands once this batch is handed out.
    """

    rows: Sequence[Any]
    batch: int = 0
    epoch: int = 0
    rank: int = 0
    after: State | None = None


def mixed_seed(*parts: int | str) -> int:
    """Return a seed that follows from the parts, and is unlike that of other parts: from 0 to 2 ** 63 - 1."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def batch_count(rows: int, batch_size: int, ranks: int = 1, drop_last: bool = False) -> int:
    """Return how many batches each rank has of so many rows.

    Raises:
        DataError: There are fewer rows than ranks; or, with `drop_last`, than one batch on each.
    """
    needed = ranks * (batch_size if drop_last else 1)
    if rows < needed:
        raise DataError(f"{rows} rows do not make a batch on each of {ranks} ranks: {needed} are the least.")
    least, most = rows // ranks, math.ceil(rows / ranks)
    return least // batch_size if drop_last else min(math.ceil(most / batch_size), least)


def batch_bounds(rows: int, batch_size: int, batches: int) -> list[int]:
    """Return where each batch of a rank's rows begins, and the end; none begins so late that those after it are empty.

    A rank with a row less than another spreads its last rows, so that both have as many batches.
    """
    return [min(i * batch_size, rows - batches + i) for i in range(batches)] + [rows]


class Plan(Sampler[Draw]):
    """Batches in an order that follows from a seed and the epoch; it can be resumed behind any batch.

    Attributes:
        epoch: The epoch, from 0.
    """

    epoch: int

    @abstractmethod
    def set_epoch(self, epoch: int) -> None:
        """Plan for an epoch; another epoch than the present one begins with its first batch."""

    @abstractmethod
    def state_dict(self) -> State:
        """Return where the next iteration begins."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Begin the next iteration where a state says, which is a `Draw.after` or what `state_dict` returned."""

    @abstractmethod
    def __len__(self) -> int:
        """Return how many batches a whole epoch has on each rank, wherever it starts.

        Raises:
            TypeError: That is not known.
        """

    @abstractmethod
    def __iter__(self) -> Iterator[Draw]:
        """Yield the batches of the epoch from where it is to begin; the next iteration begins with the first."""


class Batches(Plan):
    """A plan of batches. Over the ranks each row stands in it exactly once an epoch; every rank has as many batches.

    A batch has `batch_size` rows, the last one may have fewer. Where the rows do not divide among the ranks, the rank
    with a row less spreads its last rows, so that no rank waits for another that has a batch more.

    Args:
        rows: How many rows there are.
        batch_size: Rows of a batch, on each rank.
        epoch: The epoch, from 0.
        start: The batch that it begins with, in this epoch only.
        rank: This process, from 0.
        ranks: How many processes share the rows.
        drop_last: Leave out what does not fill a batch on every rank.

    Raises:
        DataError: There are fewer rows than ranks; or, with `drop_last`, than one batch on each.
    """

    def __init__(
        self,
        rows: int,
        batch_size: int,
        *,
        epoch: int = 0,
        start: int = 0,
        rank: int = 0,
        ranks: int = 1,
        drop_last: bool = False,
    ) -> None:
        if batch_size < 1:
            raise OptionError(f"`batch_size` must be at least 1, not {batch_size}.")
        if not 0 <= rank < ranks:
            raise OptionError(f"`rank` must be from 0 to {ranks - 1}, not {rank}.")
        batch_count(rows, batch_size, ranks, drop_last)
        self.rows = rows
        self.batch_size = batch_size
        self.epoch = epoch
        self.start = start
        self.rank = rank
        self.ranks = ranks
        self.drop_last = drop_last

    def set_epoch(self, epoch: int) -> None:
        """See `Plan.set_epoch`."""
        if epoch != self.epoch:
            self.epoch, self.start = epoch, 0

    def state_dict(self) -> State:
        """See `Plan.state_dict`."""
        return {"epoch": self.epoch, "batch": self.start}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """See `Plan.load_state_dict`; behind the last batch, the next epoch begins."""
        self.epoch, self.start = state["epoch"], state["batch"]
        if self.start >= len(self):
            self.epoch, self.start = self.epoch + 1, 0

    def __len__(self) -> int:
        """See `Plan.__len__`."""
        return batch_count(self.rows, self.batch_size, self.ranks, self.drop_last)

    def __iter__(self) -> Iterator[Draw]:
        """See `Plan.__iter__`."""
        epoch, start, self.start = self.epoch, self.start, 0
        order, batches = self._order(epoch), len(self)
        if self.drop_last:
            order = order[: batches * self.batch_size * self.ranks]
        bounds = batch_bounds(len(order[self.rank :: self.ranks]), self.batch_size, batches)
        for pool in self._pools(batches):
            if pool.stop <= start:
                continue
            first = bounds[pool.start]
            until = bounds[pool.stop] * self.ranks if pool.stop < batches else None
            rows, turns = self._arranged(order[first * self.ranks : until], pool, epoch)
            mine = rows[self.rank :: self.ranks]
            for batch, turn in zip(pool, turns, strict=True):
                if batch >= start:
                    its = mine[bounds[turn] - first : bounds[turn + 1] - first].tolist()
                    yield Draw(its, batch, epoch, self.rank, {"epoch": epoch, "batch": batch + 1})

    def _pools(self, batches: int) -> list[range]:
        """Return the batches of an epoch in pools, in which rows may change places."""
        return [range(batches)]

    def _arranged(self, rows: Tensor, pool: range, epoch: int) -> tuple[Tensor, Sequence[int]]:
        """Return the rows of a pool as they are dealt to the ranks and their batches, and whose turn each batch is.

        Args:
            rows: Of all ranks. Shape: [rows of the pool].
            pool: Its batches.
            epoch: The epoch.
        """
        del epoch
        return rows, pool

    def _order(self, epoch: int) -> Tensor:
        """Return every row's index, in this epoch's order, the same on all ranks. Shape: [rows]."""
        raise NotImplementedError


class ShuffledBatches(Batches):
    """Batches for training: rows in an order that follows from the seed and the epoch.

    Args:
        rows: How many rows there are.
        batch_size: Rows of a batch, on each rank.
        seed: The run's seed.
        epoch: The epoch, from 0.
        start: The batch that it begins with, in this epoch only.
        rank: This process, from 0.
        ranks: How many processes share the rows.
        drop_last: Leave out what does not fill a batch on every rank.
        lengths: Returns the lengths of some rows; then each pool of 100 batches is sorted by it, so that the rows of a
            batch, and of all ranks at one step, have like lengths. None: batches are random.
        classes: The class of each row, from 0; None: each row is drawn once. Shape: [rows].
        shares: Of each class; see `drawn`. Shape: [classes].
    """

    def __init__(
        self,
        rows: int,
        batch_size: int,
        seed: int,
        epoch: int = 0,
        start: int = 0,
        rank: int = 0,
        ranks: int = 1,
        drop_last: bool = False,
        lengths: Lengths | None = None,
        classes: Tensor | None = None,
        shares: Tensor | None = None,
    ) -> None:
        super().__init__(rows, batch_size, epoch=epoch, start=start, rank=rank, ranks=ranks, drop_last=drop_last)
        self.seed = seed
        self.lengths = lengths
        self.classes = classes
        self.shares = shares

    def _order(self, epoch: int) -> Tensor:
        generator = self._generator("order", epoch)
        if self.classes is not None and self.shares is not None:
            return drawn(self.classes, self.shares, generator)
        return torch.randperm(self.rows, generator=generator)

    def _pools(self, batches: int) -> list[range]:
        if self.lengths is None:
            return super()._pools(batches)
        starts = [POOL * pool for pool in range(max(1, batches // POOL))]
        return [range(*ends) for ends in pairwise([*starts, batches])]

    def _arranged(self, rows: Tensor, pool: range, epoch: int) -> tuple[Tensor, Sequence[int]]:
        if self.lengths is None:
            return super()._arranged(rows, pool, epoch)
        lengths = torch.tensor(self.lengths(rows.tolist()))
        turns = torch.randperm(len(pool), generator=self._generator("turns", epoch, pool.start)).tolist()
        return rows[lengths.argsort(stable=True)], [pool[turn] for turn in turns]

    def _generator(self, *uses: int | str) -> torch.Generator:
        return torch.Generator().manual_seed(mixed_seed(self.seed, *uses))


class OrderedBatches(Batches):
    """Batches for validation and tests: rows in the order in which they stand, dealt to the ranks in turn.

    Args:
        rows: How many rows there are.
        batch_size: Rows of a batch, on each rank.
        rank: This process, from 0.
        ranks: How many processes share the rows.
    """

    def __init__(self, rows: int, batch_size: int, rank: int = 0, ranks: int = 1) -> None:
        super().__init__(rows, batch_size, rank=rank, ranks=ranks)

    def _order(self, epoch: int) -> Tensor:
        del epoch
        return torch.arange(self.rows)
