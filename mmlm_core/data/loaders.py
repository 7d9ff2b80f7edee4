"""Loads batches: the plan, the prepared rows and the collator in one, with or without worker processes."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from mmlm_core.data.collate import Collator, none_usable
from mmlm_core.data.dataset import Fault, Prepared, Row
from mmlm_core.data.sampler import Batches, Draw, OrderedBatches, ShuffledBatches
from mmlm_core.errors import DataError
from mmlm_core.interfaces import Processor, TargetProcessor
from mmlm_core.settings import LoaderOptions
from mmlm_core.types import Batch, Example

__all__ = ["BatchLoader", "make_loaders"]

TRAIN = "train"

_log = logging.getLogger(__name__)


class BatchLoader(DataLoader[Any]):
    """Yields each `Batch` of a plan.

    Its state (`state_dict`, which Lightning saves) is the epoch and the batches that were handed out, whatever the
    workers have prepared ahead; a loader with that state goes on with the next batch. Its length is that of a whole
    epoch.

    Args:
        prepared: The rows.
        collator: Makes a batch of them.
        batches: The plan.
        workers: Processes that prepare rows; 0: this one does.
        pin: Put tensors into page-locked memory, from where a GPU fetches them faster.

    Attributes:
        batches: The plan.
        faults: The rows that were left out so far, by key, with the reason.
    """

    def __init__(
        self, prepared: Prepared, collator: Collator, batches: Batches, workers: int = 0, pin: bool = False
    ) -> None:
        super().__init__(
            _Drawn(prepared, collator),
            sampler=batches,  # each of its items is a whole batch
            batch_size=None,
            num_workers=workers,
            collate_fn=_as_it_is,
            pin_memory=pin,
            persistent_workers=workers > 0,
            prefetch_factor=4 if workers else None,
            generator=torch.Generator(),  # else every epoch would draw from the global one, and shift dropout
        )
        self.prepared = prepared
        self.batches = batches
        self.faults: dict[str, str] = {}
        self._place = (batches.epoch, batches.start)

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        """Yield the batches of the plan's epoch, from its start on.

        Raises:
            DataError: A row cannot be used, and such rows are not skipped; or no row of the whole split can be used.
        """
        epoch, batch = self.batches.epoch, self.batches.start
        self._place = (epoch, batch)
        any_yielded = batch > 0
        for made in super().__iter__():
            self._note(made.faults)
            if made.error:
                raise DataError(made.error)
            batch += 1
            self._place = (epoch, batch)
            if made.batch is not None:
                any_yielded = True
                yield made.batch
        if not any_yielded and self.faults:
            raise none_usable([Fault(key, reason) for key, reason in self.faults.items()])

    def set_epoch(self, epoch: int) -> None:
        """Plan for an epoch; another epoch than the present one begins with its first batch."""
        self.batches.set_epoch(epoch)
        self._place = (epoch, self.batches.start)

    def state_dict(self) -> dict[str, int]:
        """Return the epoch and how many of its batches were handed out."""
        return {"epoch": self._place[0], "batch": self._place[1]}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go on after the batches that were handed out; after the last of them, with the next epoch."""
        epoch, batch = state["epoch"], state["batch"]
        if batch >= len(self.batches):
            epoch, batch = epoch + 1, 0
        self.batches.epoch, self.batches.start = epoch, batch
        self._place = (epoch, batch)

    def _note(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            if fault.key not in self.faults:
                self.faults[fault.key] = fault.reason
                _log.warning("Skipped `%s`: %s", fault.key, fault.reason)


def make_loaders(
    splits: Mapping[str, Sequence[Example]],
    processors: Mapping[str, Processor],
    target_processor: TargetProcessor | None,
    options: LoaderOptions,
    seed: int,
    *,
    needs_target: bool = False,
    rank: int = 0,
    ranks: int = 1,
    pin: bool = False,
) -> dict[str, BatchLoader]:
    """Return the loader of each split: `train` shuffled and augmented, without its rows; others in order, with them.

    Args:
        splits: The rows of each split.
        processors: The processor of each modality that the model reads.
        target_processor: The head's.
        options: Batch size, workers, cache, and what happens with a row that cannot be used. The cache is shared out
            to the splits by their rows.
        seed: The run's seed.
        needs_target: A row whose target is None cannot be used.
        rank: This process.
        ranks: How many processes share the rows.
        pin: Put tensors into page-locked memory, from where a GPU fetches them faster.
    """
    total = max(1, sum(len(rows) for rows in splits.values()))
    made = {}
    for split, rows in splits.items():
        training = split == TRAIN
        prepared = Prepared(
            rows,
            processors,
            target_processor,
            options.cache_mib * 2**20 * len(rows) // total,
            options.on_error,
            needs_target=needs_target,
            with_examples=not training,
        )
        batches: Batches
        if training:
            batches = ShuffledBatches(len(rows), options.batch_size, seed, rank=rank, ranks=ranks)
        else:
            batches = OrderedBatches(len(rows), options.batch_size, rank=rank, ranks=ranks)
        collator = Collator(processors, target_processor, seed if training else None)
        made[split] = BatchLoader(prepared, collator, batches, options.workers, pin)
    return made


@dataclass(frozen=True)
class _Made:
    """What a worker hands over: a batch, none where no row of it can be used, or the error; and the rows left out."""

    batch: Batch | None
    faults: list[Fault]
    error: str = ""

    def pin_memory(self) -> _Made:
        """Return it with its tensors in page-locked memory; torch asks for this by the method's name."""
        if self.batch is None:
            return self
        inputs = {name: items.map(Tensor.pin_memory) for name, items in self.batch.inputs.items()}
        targets = {name: tensor.pin_memory() for name, tensor in self.batch.targets.items()}
        return replace(self, batch=replace(self.batch, inputs=inputs, targets=targets))


class _Drawn(Dataset[_Made]):
    """Batches by their draw, as the `DataLoader` asks its workers for them."""

    def __init__(self, prepared: Prepared, collator: Collator) -> None:
        self.prepared = prepared
        self.collator = collator

    def __getitem__(self, draw: Draw) -> _Made:
        faults: list[Fault] = []
        try:
            rows = [self.prepared[index] for index in draw.rows]
            faults = [row for row in rows if isinstance(row, Fault)]
            if len(faults) == len(rows):
                if not self.collator.training:
                    return _Made(None, faults)
                rows = self._stand_in(draw.rows[-1], faults)
            return _Made(self.collator(rows, draw), faults)
        except DataError as error:
            if get_worker_info() is None:
                raise
            return _Made(None, faults, str(error))  # torch would wrap it into a traceback

    def _stand_in(self, last: int, faults: list[Fault]) -> list[Row | Fault]:
        """Return the next usable row after the last of a batch that has none: each rank needs a batch for each step."""
        count = len(self.prepared)
        for index in range(last + 1, last + count):
            row = self.prepared[index % count]
            if not isinstance(row, Fault):
                return [row]
            faults.append(row)
        return list(dict.fromkeys(faults))  # no row of all can be used; the collator says why


def _as_it_is(made: Any) -> Any:
    return made
