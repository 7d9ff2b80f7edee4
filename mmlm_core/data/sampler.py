"""Which rows make which batch: a plan that follows from the seed and the epoch alone, so that a run can be resumed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Sampler

from mmlm_core.errors import DataError, OptionError

__all__ = ["Batches", "Draw", "OrderedBatches", "ShuffledBatches", "mixed_seed"]


class Draw(NamedTuple):
    """One batch of the plan.

    Attributes:
        rows: The rows' indices.
        batch: Its number in the epoch, from 0.
        epoch: The epoch, from 0.
        rank: The process that it is for.
    """

    rows: list[int]
    batch: int = 0
    epoch: int = 0
    rank: int = 0


def mixed_seed(*parts: int | str) -> int:
    """Return a seed that follows from the parts, and is unlike that of other parts: from 0 to 2 ** 63 - 1."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


class Batches(Sampler[Draw]):
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
        least = ranks * (batch_size if drop_last else 1)
        if rows < least:
            raise DataError(f"{rows} rows do not make a batch on each of {ranks} ranks: {least} are the least.")
        self.rows = rows
        self.batch_size = batch_size
        self.epoch = epoch
        self.start = start
        self.rank = rank
        self.ranks = ranks
        self.drop_last = drop_last

    def set_epoch(self, epoch: int) -> None:
        """Plan for an epoch; another epoch than the present one begins with its first batch."""
        if epoch != self.epoch:
            self.epoch, self.start = epoch, 0

    def __len__(self) -> int:
        """Return how many batches a whole epoch has on each rank, wherever it starts."""
        least = self.rows // self.ranks
        most = -(-self.rows // self.ranks)
        return least // self.batch_size if self.drop_last else min(-(-most // self.batch_size), least)

    def __iter__(self) -> Iterator[Draw]:
        """Yield the batches of the epoch from `start` on; the next iteration begins with the first."""
        epoch, start, self.start = self.epoch, self.start, 0
        batches = len(self)
        mine = self._order(epoch)[self.rank :: self.ranks]
        if self.drop_last:
            mine = mine[: batches * self.batch_size]
        # No batch begins so late that those after it would be empty.
        bounds = [min(i * self.batch_size, len(mine) - batches + i) for i in range(batches)] + [len(mine)]
        for batch in range(start, batches):
            yield Draw(mine[bounds[batch] : bounds[batch + 1]].tolist(), batch, epoch, self.rank)

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
    ) -> None:
        super().__init__(rows, batch_size, epoch=epoch, start=start, rank=rank, ranks=ranks, drop_last=drop_last)
        self.seed = seed

    def _order(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(mixed_seed(self.seed, "order", epoch))
        return torch.randperm(self.rows, generator=generator)


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
