"""A plan of batches over a stream, whose rows are read as the plan goes: by the training's own process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate, islice, pairwise
from typing import NamedTuple

import torch

from mmlm_core.data.arranging import in_runs
from mmlm_core.data.dataset import Fault
from mmlm_core.data.sampler import Draw, Plan, State, batch_bounds, batch_count, mixed_seed
from mmlm_core.errors import DataError
from mmlm_core.interfaces import Stream
from mmlm_core.settings import OnError
from mmlm_core.types import Example

__all__ = ["StreamedBatches", "stream_size"]


class Place(NamedTuple):
    """Where the reading of an epoch stands.

    Attributes:
        shard: The place of a shard in the epoch's order.
        row: The row in it that comes next.
        seen: Rows of the epoch before it, of all ranks.
    """

    shard: int = 0
    row: int = 0
    seen: int = 0


BEGINNING = Place()


class StreamedBatches(Plan):
    """A plan that holds the rows themselves. Over the ranks each stands in it exactly once an epoch.

    Every rank has as many batches, of the sizes that `Batches` gives them. Where the stream knows its sizes, a rank
    reads a run of rows of its own, and opens only the shards that these lie in; else each walks over all rows and takes
    every `ranks`-th.

    For training the order of the shards is drawn anew in each epoch, and a rank's rows are shuffled in blocks; to go on
    in the middle of a block, that block is read again.

    Args:
        stream: The rows.
        batch_size: Rows of a batch, on each rank.
        seed: The run's seed; None: all is in order, for validation.
        block: Rows that are shuffled among each other.
        rank: This process, from 0.
        ranks: How many processes share the rows.
        on_error: Whether a shard that cannot be read stops the training, or the rest of it is left out.
        length: Returns the length of a row; then the rows of a batch have like lengths. None: they are random.
    """

    def __init__(
        self,
        stream: Stream,
        batch_size: int,
        seed: int | None = None,
        *,
        block: int = 4096,
        rank: int = 0,
        ranks: int = 1,
        on_error: OnError = OnError.RAISE,
        length: Callable[[Example], int] | None = None,
    ) -> None:
        self.stream = stream
        self.batch_size = batch_size
        self.seed = seed
        self.block = batch_size if seed is None else block
        self.rank = rank
        self.ranks = ranks
        self.on_error = on_error
        self.length = length
        self.epoch = 0
        self._state: State = {}
        self._size = stream_size(stream)

    def set_epoch(self, epoch: int) -> None:
        """See `Plan.set_epoch`."""
        if epoch != self.epoch:
            self.epoch, self._state = epoch, {}

    def state_dict(self) -> State:
        """Return the epoch, the batch, and where the block begins from which on rows must be read again.

        It is of all ranks alike, since a checkpoint has the first rank's.
        """
        return dict(self._state) or _state(self.epoch, 0)

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """See `Plan.load_state_dict`."""
        self.epoch, self._state = state["epoch"], dict(state)

    def __len__(self) -> int:
        """See `Plan.__len__`."""
        if self._size is None:
            raise TypeError("The rows of this stream are not counted.")
        return batch_count(self._size, self.batch_size, self.ranks)

    def __iter__(self) -> Iterator[Draw]:
        """See `Plan.__iter__`.

        Raises:
            DataError: A shard cannot be read; or there are fewer rows than ranks.
        """
        state, self._state = self.state_dict(), {}
        epoch, start = state["epoch"], state["batch"]
        batch = max(0, start - 1)  # only the last two batches may be shorter, so the one before begins where it must
        number = batch * self.batch_size // self.block
        reading = _Reading(self, epoch, number, Place(state["shard"], state["row"], state["seen"]))
        begins = {number: reading.place}
        waiting: list[Example | Fault] = []
        skipped = batch * self.batch_size - number * self.block
        more = True
        while more:
            rows = reading.take()
            more = len(rows) == self.block
            waiting += self._shuffled(rows, epoch, number)[skipped:]
            number, skipped = number + 1, 0
            begins = {block: at for block, at in begins.items() if block >= batch * self.batch_size // self.block}
            begins[number] = reading.place
            # A row more than a batch stays back until the end is known: the last batches may have to share.
            while len(waiting) > self.batch_size + 1:
                after = _state(epoch, batch + 1, begins[batch * self.batch_size // self.block])
                if batch >= start:
                    yield Draw(waiting[: self.batch_size], batch, epoch, self.rank, after)
                del waiting[: self.batch_size]
                batch += 1
        whole = batch_count(reading.total, self.batch_size, self.ranks)
        bounds = batch_bounds(len(waiting), self.batch_size, whole - batch)
        for begin, end in pairwise(bounds):
            after = _state(epoch, batch + 1, begins[batch * self.batch_size // self.block])
            last = batch + 1 == whole
            if batch >= start:
                yield Draw(waiting[begin:end], batch, epoch, self.rank, _state(epoch + 1, 0) if last else after)
            batch += 1

    def _shuffled(self, rows: list[Example | Fault], epoch: int, number: int) -> list[Example | Fault]:
        if self.seed is None:
            return rows
        generator = torch.Generator().manual_seed(mixed_seed(self.seed, "block", epoch, number, self.rank))
        rows = [rows[index] for index in torch.randperm(len(rows), generator=generator).tolist()]
        if self.length is None:
            return rows
        lengths = [0 if isinstance(row, Fault) else self.length(row) for row in rows]
        begun = number * self.block % self.batch_size
        return [rows[index] for index in in_runs(lengths, self.batch_size, -begun % self.batch_size, generator)]


class _Reading:
    """The reading of one rank's rows of an epoch, block by block.

    Args:
        plan: Whose rows.
        epoch: The epoch.
        block: The block that comes first.
        place: Where that block begins, of all ranks alike; where the sizes are known, each rank finds its own.

    Attributes:
        place: Where it stands.
        total: Rows of the epoch, of all ranks; known once everything is read.
    """

    def __init__(self, plan: StreamedBatches, epoch: int, block: int, place: Place) -> None:
        self._plan = plan
        self._order = _order(plan, epoch)
        self._known = plan._size
        self._span = range(0)
        self.place = place
        if self._known is not None:
            bounds = [self._known * rank // plan.ranks for rank in (plan.rank, plan.rank + 1)]
            self._span = range(*bounds)
            self.place = self._find(min(self._span.start + block * plan.block, self._span.stop))
        self.total = self._known or 0
        self._rows = self._walk()

    def take(self) -> list[Example | Fault]:
        """Return this rank's rows of the next block; they are fewer than a block only where the epoch ends.

        Where the sizes are not known, the ranks' rows take turns, and all ranks stop at the same row.
        """
        walked = self._plan.block * (self._plan.ranks if self._known is None else 1)
        return [row for row in islice(self._rows, walked) if row is not None]

    def _find(self, row: int) -> Place:
        """Return the place of a row of the epoch, by the sizes of the shards."""
        ends = list(accumulate(self._plan.stream.size(shard) or 0 for shard in self._order))
        shard = next((i for i, end in enumerate(ends) if end > row), len(ends))
        return Place(shard, row - (ends[shard - 1] if shard else 0), row)

    def _walk(self) -> Iterator[Example | Fault | None]:
        """Yield the rows of this rank, and None in the place of another's."""
        shard, number, seen = self.place
        while shard < len(self._order) and (self._known is None or seen < self._span.stop):
            for row in self._shard(self._order[shard], number):
                number, seen = number + 1, seen + 1
                self.place = Place(shard, number, seen)
                mine = self._known is not None or (seen - 1) % self._plan.ranks == self._plan.rank
                yield row if mine else None
                if self._known is not None and seen == self._span.stop:
                    return
            shard, number = shard + 1, 0
        if self._known is None:
            self.total = seen

    def _shard(self, shard: int, start: int) -> Iterator[Example | Fault]:
        """Yield the rows of a shard; in the place of what cannot be read, why."""
        plan, count = self._plan, start
        size = plan.stream.size(shard)
        try:
            for row in plan.stream.rows(shard, start):
                count += 1
                yield row
        except DataError as error:
            if plan.on_error is OnError.RAISE:
                raise DataError(f"{error} To leave the rest of such shards out: `loader.on_error=skip`.") from error
            lost = 1 if size is None else size - count
            yield from [Fault(f"shard {shard + 1}", str(error))] * lost
            count += lost
        if size not in (None, count):
            raise DataError(f"Shard {shard + 1} says that it has {size:,} rows, and gives {count:,}.")


def stream_size(stream: Stream) -> int | None:
    """Return how many rows a stream has, where every shard says it."""
    total = 0
    for shard in range(stream.shards):
        size = stream.size(shard)
        if size is None:
            return None
        total += size
    return total


def _order(plan: StreamedBatches, epoch: int) -> list[int]:
    """Return the shards in the epoch's order, the same on all ranks."""
    if plan.seed is None:
        return list(range(plan.stream.shards))
    generator = torch.Generator().manual_seed(mixed_seed(plan.seed, "shards", epoch))
    return torch.randperm(plan.stream.shards, generator=generator).tolist()


def _state(epoch: int, batch: int, place: Place = BEGINNING) -> State:
    return {"epoch": epoch, "batch": batch, **place._asdict()}
