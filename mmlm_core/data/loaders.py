"""Loads batches: the plan, the prepared rows and the collator in one, with or without worker processes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from mmlm_core.data.arranging import alike
from mmlm_core.data.collate import Collator, none_usable
from mmlm_core.data.dataset import Fault, Prepared, Row, Rows
from mmlm_core.data.feature_store import FeatureStore
from mmlm_core.data.mixture import Mixture
from mmlm_core.data.readable import readable, targets_of
from mmlm_core.data.recalling import Recalling
from mmlm_core.data.sampler import Draw, OrderedBatches, Plan, ShuffledBatches
from mmlm_core.data.streaming import StreamedBatches
from mmlm_core.errors import DataError, OptionError, quoted
from mmlm_core.interfaces import Processor, Stream, TargetProcessor
from mmlm_core.settings import LoaderOptions, OnError
from mmlm_core.types import Batch, Example

__all__ = ["BatchLoader", "has_length", "make_loaders"]

TRAIN = "train"
TRIED = 10_000
"""Rows of a stream that are tried at most where a batch has none that can be used."""

_log = logging.getLogger(__name__)


class BatchLoader(DataLoader[Any]):
    """Yields each `Batch` of a plan.

    Its state (`state_dict`, which Lightning saves) is where the plan stands behind the batches that were trained on,
    whatever the workers have prepared ahead; a loader with that state goes on with the next batch. Its length is that
    of a whole epoch. It has none where the plan has none; then Lightning looks one batch ahead to find the last one, so
    a batch counts as trained on once the next one is asked for.

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
        self, prepared: Prepared, collator: Collator, batches: Plan, workers: int = 0, pin: bool = False
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
        self._state = batches.state_dict()

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        """Yield the batches of the plan's epoch, from its start on.

        Raises:
            DataError: A row cannot be used, and such rows are not skipped; or no row of the whole split can be used.
        """
        self._state = self.batches.state_dict()
        any_yielded = self._state["batch"] > 0
        counted = has_length(self)
        for made in super().__iter__():
            self._note(made.faults)
            if made.error:
                raise DataError(made.error)
            if counted:
                self._state = made.after
            if made.batch is not None:
                any_yielded = True
                yield made.batch
            self._state = made.after
        if not any_yielded and self.faults:
            raise none_usable([Fault(key, reason) for key, reason in self.faults.items()])

    def set_epoch(self, epoch: int) -> None:
        """Plan for an epoch; another epoch than the present one begins with its first batch."""
        self.batches.set_epoch(epoch)
        self._state = self.batches.state_dict()

    def state_dict(self) -> dict[str, int]:
        """Return the epoch, how many of its batches were trained on, and what else the plan needs to go on."""
        return dict(self._state)

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go on after the batches that were trained on; after the last of them, with the next epoch."""
        self.batches.load_state_dict(state)
        self._state = self.batches.state_dict()

    def _note(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            if fault.key not in self.faults:
                self.faults[fault.key] = fault.reason
                _log.warning("Skipped `%s`: %s", fault.key, fault.reason)


def has_length(loader: BatchLoader) -> bool:
    """Return whether it is known how many batches an epoch has."""
    try:
        len(loader)
    except TypeError:
        return False
    return True


def make_loaders(
    splits: Mapping[str, Rows],
    processors: Mapping[str, Processor],
    target_processor: TargetProcessor | None,
    options: LoaderOptions,
    seed: int,
    *,
    needs_target: bool = False,
    rank: int = 0,
    ranks: int = 1,
    pin: bool = False,
    features: Mapping[str, FeatureStore] | None = None,
) -> dict[str, BatchLoader]:
    """Return the loader of each split: `train` shuffled and augmented, without its rows; others in order, with them.

    Args:
        splits: The rows of each split.
        processors: The processor of each modality that the model reads.
        target_processor: The head's.
        options: Batch size, workers (`auto` is none here; see `choose_workers`), cache, and what happens with a row
            that cannot be used. The cache is shared out to the splits by their rows.
        seed: The run's seed.
        needs_target: A row whose target is None cannot be used.
        rank: This process.
        ranks: How many processes share the rows.
        pin: Put tensors into page-locked memory, from where a GPU fetches them faster.
        features: Where the features of a modality are kept, for the batches in which its items are not augmented;
            such batches must be completed (`training.feature_cache`).
    """
    sizes = {split: 0 if isinstance(rows, Stream) else len(rows) for split, rows in splits.items()}
    total = max(1, sum(sizes.values()))
    made = {}
    for split, rows in splits.items():
        training = split == TRAIN
        if training and options.balance and isinstance(rows, Stream):
            raise OptionError("`loader.balance` must be 0 where the rows of `train` are streamed: "
                              "their labels are not counted.")  # fmt: skip
        own = _recalling(processors, features or {}, training)
        prepared = Prepared(
            rows,
            own,
            target_processor,
            options.cache_mib * 2**20 * sizes[split] // total,
            options.on_error,
            needs_target=needs_target,
            with_examples=not training,
        )
        batches: Plan
        if isinstance(rows, Stream):
            batches = StreamedBatches(rows, options.batch_size, seed if training else None, block=options.shuffle_rows,
                                      rank=rank, ranks=ranks, on_error=options.on_error,
                                      length=prepared.length if options.bucket else None)  # fmt: skip
        elif training:
            classes, shares = _shares(rows, options.balance)
            batches = ShuffledBatches(len(rows), options.batch_size, seed, rank=rank, ranks=ranks,
                                      lengths=prepared.lengths if options.bucket else None,
                                      classes=classes, shares=shares)  # fmt: skip
        else:
            batches = OrderedBatches(len(rows), options.batch_size, rank=rank, ranks=ranks)
        collator = Collator(own, target_processor, seed if training else None)
        made[split] = BatchLoader(prepared, collator, batches, 0 if options.workers == "auto" else options.workers, pin)
    return made


def _recalling(
    processors: Mapping[str, Processor], features: Mapping[str, FeatureStore], training: bool
) -> dict[str, Processor]:
    return {
        name: Recalling(processor, features[name])
        if name in features and not (training and processor.augments)
        else processor
        for name, processor in processors.items()
    }


def _shares(rows: Sequence[Example], balance: float) -> tuple[Tensor | None, Tensor | None]:
    """Return the class of each row and the share of each class; None: each row is drawn once.

    Shape: [rows], [classes].
    """
    weighted = isinstance(rows, Mixture) and rows.shares is not None
    if balance and weighted:
        raise OptionError("`loader.balance` must be 0 where the sources of `data` have weights of their own.")
    if balance:
        classes = _classes(rows)
        return classes, alike(classes, balance)
    return (rows.classes, rows.shares) if isinstance(rows, Mixture) and weighted else (None, None)


def _classes(rows: Sequence[Example]) -> Tensor:
    """Return the class of each row: its target, numbered. Shape: [rows].

    Raises:
        DataError: A target is no label.
    """
    numbers: dict[str, int] = {}
    classes = []
    for place, target in enumerate(targets_of(rows, OnError.RAISE)):
        if not isinstance(target, str | int):
            raise DataError(f"`{rows[place].key}`: The target must be a label, not {quoted(target)}, "
                            "since `loader.balance` draws the labels alike.")  # fmt: skip
        classes.append(numbers.setdefault(str(target), len(numbers)))
    return torch.tensor(classes)


@dataclass(frozen=True)
class _Made:
    """What a worker hands over.

    Attributes:
        batch: None where no row of it can be used.
        faults: The rows left out.
        after: Where the plan stands once it is handed out.
        error: Why there is no batch, where it is to be raised.
    """

    batch: Batch | None
    faults: list[Fault]
    after: dict[str, int]
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
        after = draw.after or {}
        try:
            rows = [self._row(row) for row in draw.rows]
            faults = [row for row in rows if isinstance(row, Fault)]
            if len(faults) == len(rows):
                if not self.collator.training:
                    return _Made(None, faults, after)
                rows = self._stand_in(draw.rows[-1], faults)
            return _Made(self.collator(rows, draw), faults, after)
        except DataError as error:
            if get_worker_info() is None:
                raise
            return _Made(None, faults, after, str(error))  # torch would wrap it into a traceback

    def _row(self, row: Any) -> Row | Fault:
        """Return a row of a draw, prepared: one of a sequence by its index, of a stream the row itself."""
        if isinstance(row, int):
            return self.prepared[row]
        return self.prepared.row(row) if isinstance(row, Example) else row

    def _stand_in(self, last: Any, faults: list[Fault]) -> list[Row | Fault]:
        """Return a usable row for a batch that has none, since each rank needs a batch for each step.

        It is the next one after the batch's last; of a stream, the first.
        """
        examples = self.prepared.examples
        others: Iterable[Any] = (
            islice(readable(examples, OnError.SKIP), TRIED)
            if isinstance(examples, Stream)
            else (index % len(examples) for index in range(last + 1, last + len(examples)))
        )
        for other in others:
            row = self._row(other)
            if not isinstance(row, Fault):
                return [row]
            faults.append(row)
        return list(dict.fromkeys(faults))  # no row of all can be used; the collator says why


def _as_it_is(made: Any) -> Any:
    return made
