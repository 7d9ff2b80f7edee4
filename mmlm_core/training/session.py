"""One training, assembled: loaders, limits, trackers and Lightning's trainer around a prepared model."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import torch
from rich.text import Text

from mmlm_core import machine
from mmlm_core.data import (
    BatchLoader,
    Prepared,
    Rows,
    Workers,
    choose_workers,
    has_length,
    make_loaders,
    mixed_seed,
    stream_size,
)
from mmlm_core.data.excess import Excess
from mmlm_core.data.readable import readable
from mmlm_core.errors import DataError, OptionError
from mmlm_core.interfaces import GenerativeHead, Stream
from mmlm_core.preparation import Preparation
from mmlm_core.report.closing import make_console
from mmlm_core.runs import RunFolder, is_main
from mmlm_core.settings import OnError
from mmlm_core.training import random_state
from mmlm_core.training.assembly import choose_precision, make_trainer, most_epochs, on_gpu
from mmlm_core.training.bar import Bar
from mmlm_core.training.checkpoints import WholeCheckpoints
from mmlm_core.training.clock import Clock
from mmlm_core.training.conductor import Conductor
from mmlm_core.training.feature_cache import FeatureCache
from mmlm_core.training.interrupts import Interrupts
from mmlm_core.training.module import TrainingModule
from mmlm_core.training.one_error import one_error
from mmlm_core.training.quiet import quiet
from mmlm_core.training.selection import Selection
from mmlm_core.training.trackers import make_trackers
from mmlm_core.training.validator import Validator
from mmlm_core.types import Example

__all__ = ["Outcome", "Session"]

TRAIN, VALIDATION, SAMPLES = "train", "validation", "samples"
COUNTED = 1000
"""Rows of the training that are looked at for whether they are longer than the model reads."""
DIGESTED = 64
"""Rows of a split that are looked at before it is resumed."""


@dataclass(frozen=True)
class Outcome:
    """How a training ended.

    Attributes:
        epochs: Epochs that were begun.
        steps: Updates.
        seconds: Of training, validation included, and before an interruption too.
        best_step: The updates that the kept weights have.
        best: Their validation's figures; empty where there was none.
        reason: Why it ended: `limit` or `patience`.
        skipped: Rows that could not be used, by key, with the reason.
    """

    epochs: int
    steps: int
    seconds: float
    best_step: int
    best: dict[str, float]
    reason: str
    skipped: dict[str, str]


class Session:
    """A training that is ready to run.

    Args:
        folder: The run.
        preparation: The data and the model.

    Attributes:
        sizes: Rows of each split; None where it is streamed and does not say.
        precision: The arithmetic.
        threads: Of this process.
        workers: Processes that prepare rows beside it.
        console: The terminal.
    """

    def __init__(self, folder: RunFolder, preparation: Preparation) -> None:
        self.folder = folder
        self.preparation = preparation
        self.settings = preparation.composition.settings
        options = self.settings.trainer
        self.threads = machine.set_threads(options.threads, options.devices if options.accelerator == "cpu" else 1)
        self.precision = choose_precision(options)
        self.console = make_console()
        source = preparation.source
        self.rows = {split: source.read(split) for split in source.splits()}
        self.sizes = {split: stream_size(rows) if isinstance(rows, Stream) else len(rows)
                      for split, rows in self.rows.items()}  # fmt: skip
        if self.sizes.get(TRAIN, 0) == 0:
            raise DataError("The split `train` has no rows: there is nothing to learn from.")
        self.workers = self._choose_workers()

    def _choose_workers(self) -> Workers:
        """Return how many processes prepare rows beside this one."""
        model, options = self.preparation.model, self.settings.loader
        rows = self.rows[TRAIN]
        prepared = Prepared(
            rows, model.processors(), model.head.target_processor(), options.cache_mib * 2**20, OnError.SKIP
        )
        return choose_workers(prepared, options, self.settings.trainer.devices)

    def told(self) -> str:
        """Return a line that says where the run is and how it computes."""
        options = self.settings.trainer
        limits = {"epochs": most_epochs(options), "steps": options.max_steps, "minutes": options.max_minutes}
        until = " or ".join(f"{limit:g} {name.removesuffix('s') if limit == 1 else name}"
                            for name, limit in limits.items() if limit)  # fmt: skip
        threads = f"{self.threads} thread{'' if self.threads == 1 else 's'}"
        processes = options.devices * options.nodes
        each = f"{processes} processes of {threads}" if processes > 1 else threads
        computes = ", ".join(filter(None, [self.precision.value, each, self.workers.told()]))
        return f"run {self.folder.path} · {computes} · until {until}\n{self._kept()}"

    def _kept(self) -> str:
        """Return which weights are kept."""
        if not self._validates:
            return "keeps the last weights: there are no rows to validate on"
        name, mode = self.preparation.model.head.monitor
        return f"keeps the weights of the {'lowest' if mode == 'min' else 'highest'} validation {name}, marked `best`"

    def digests(self) -> dict[str, str]:
        """Return for each split what changes with its rows: of some, spread evenly, the keys, texts and targets.

        Of a stream, the first ones.
        """
        return {split: _digest(rows) for split, rows in self.rows.items()}

    def told_excess(self) -> str:
        """Return which training rows are longer than the model reads, by some of them, spread evenly; of a stream, the
        first.
        """
        rows = self.rows[TRAIN]
        excess = Excess(self.preparation.model.processors(), _spread(rows, COUNTED))
        every = not isinstance(rows, Stream) and excess.rows == len(rows)
        return excess.told("of `train`" if every else "that were looked at in `train`")

    def run(self, checkpoint: Path | None) -> Outcome:
        """Train, from the beginning or from a checkpoint.

        Raises:
            SystemExit: The user interrupted it.
        """
        composition, model, options = self.preparation.composition, self.preparation.model, self.settings.trainer
        clock = Clock(None, options.max_minutes)
        if not self._validates:
            clock.reserve(0.0)  # nothing comes after the last step
        features = self._features(checkpoint)
        module = TrainingModule(model, composition["optimizer"].make(), composition["schedule"].make(), clock, features)
        selection = Selection(model.head.monitor, options.patience)
        trackers = make_trackers(self.folder, self.settings.tracker, composition.to_mapping(), is_main())
        bar = Bar(self.console, selection.name, most_epochs(options), options.progress and is_main())
        counts = "tokens" if isinstance(model.head, GenerativeHead) else ""
        validator = Validator(model, self._samples(features), self.settings.decoding, features)
        interrupts = Interrupts(self.console, self.folder.path, waits=options.devices * options.nodes == 1)
        conductor = Conductor(
            module, self.folder, options, clock, selection, validator, trackers, bar, interrupts, counts
        )
        if options.compile:
            for part in (*model.encoders.values(), model.backbone):
                part.compile()
        path = None if checkpoint is None else str(checkpoint)
        try:
            processes = options.devices * options.nodes
            with one_error(self.folder, processes), quiet(), interrupts, _keeping_the_process():
                trainer = make_trainer(self.settings, self.folder.path, [conductor], self._validates)
                loaders = self._loaders(trainer.global_rank, trainer.world_size, trainer.strategy.root_device, features)
                clock.steps = self._most_steps(loaders[TRAIN])
                conductor.loader = loaders[TRAIN]
                if trainer.global_rank:  # the weights are made; what is dropped on each rank must not be the same
                    random_state.seed_all(mixed_seed(self.settings.run.seed, "rank", trainer.global_rank))
                trainer.fit(module, loaders[TRAIN], loaders.get(VALIDATION), ckpt_path=path)
        except RuntimeError as error:
            operation, refused, _ = str(error).partition(" does not have a deterministic implementation")
            if not refused:
                raise
            raise OptionError(
                f"`run.deterministic=true` cannot be kept: `{operation}`, which the model needs, has no order on this "
                "device. Leave it out, or train with `trainer.accelerator=cpu`."
            ) from error
        finally:
            trackers.close(selection.figures)
        skipped = {key: reason for loader in loaders.values() for key, reason in loader.faults.items()}
        reason = "patience" if selection.exhausted else "limit"
        best_step = selection.best_step if selection.best is not None else trainer.global_step
        return Outcome(trainer.current_epoch, trainer.global_step, clock.elapsed, best_step, selection.figures, reason,
                       skipped)  # fmt: skip

    def _features(self, checkpoint: Path | None) -> FeatureCache:
        """Return the features of frozen encoders, and tell where they are kept."""
        model, options = self.preparation.model, self.settings.trainer
        if checkpoint is not None and any(map(model.is_frozen, model.encoders.values())):
            state = WholeCheckpoints().load_checkpoint(checkpoint)["state_dict"]  # the weights that they were made with
            for name, encoder in model.encoders.items():
                start = f"model.encoders.{name}."
                own = {key.removeprefix(start): value for key, value in state.items() if key.startswith(start)}
                if own.keys() == encoder.state_dict().keys():  # else the checkpoint is refused where it is loaded
                    encoder.load_state_dict(own)
        device = "gpu" if on_gpu(options) else "cpu" if options.accelerator == "auto" else options.accelerator
        arithmetic = f"{self.precision.value} on {device}{', compiled' if options.compile else ''}"
        features = FeatureCache(self.preparation.composition, model, arithmetic)
        if features.told() and is_main():
            self.console.print(Text(f"{features.told()}\n", style="dim"), soft_wrap=True)
        return features

    @property
    def _validates(self) -> bool:
        return self.sizes.get(VALIDATION, 0) != 0

    def _most_steps(self, loader: BatchLoader) -> int | None:
        options = self.settings.trainer
        epochs = most_epochs(options)
        if epochs is not None and not has_length(loader):
            if not (options.max_steps or options.max_minutes):
                raise OptionError("The rows of `train` are streamed, and how many they are is not known: say how long "
                                  "to train, as `trainer.max_steps=10000` or `trainer.max_minutes=60`.")  # fmt: skip
            epochs = None
        by_epochs = None if epochs is None else epochs * -(-len(loader) // options.accumulate)
        return min((limit for limit in (options.max_steps, by_epochs) if limit is not None), default=None)

    def _loaders(self, rank: int, ranks: int, device: torch.device, features: FeatureCache) -> dict[str, BatchLoader]:
        splits = {split: rows for split, rows in self.rows.items()
                  if split in (TRAIN, VALIDATION) and self.sizes[split] != 0}  # fmt: skip
        return self._make(splits, features, rank, ranks, device.type == "cuda")

    def _samples(self, features: FeatureCache) -> BatchLoader | None:
        """Return the loader of the rows that each validation predicts: drawn once by the seed; a stream's first."""
        rows: Rows = self.rows.get(VALIDATION, ())
        most = self.settings.trainer.validate_rows
        if not most or not self._validates or not is_main():
            return None
        drawn = None
        if not isinstance(rows, Stream):
            drawn = sorted(random.Random(self.settings.run.seed).sample(range(len(rows)), min(len(rows), most)))
        given = list(islice(readable(rows, self.settings.loader.on_error, drawn), most))
        return self._make({SAMPLES: given}, features)[SAMPLES] if given else None

    def _make(
        self, splits: Mapping[str, Rows], features: FeatureCache, rank: int = 0, ranks: int = 1, pin: bool = False
    ) -> dict[str, BatchLoader]:
        composition, model = self.preparation.composition, self.preparation.model
        options = replace(self.settings.loader, workers=0 if SAMPLES in splits else self.workers.count)
        return make_loaders(
            splits, model.processors(), model.head.target_processor(), options, self.settings.run.seed,
            needs_target=composition["data"].traits.has_target, rank=rank, ranks=ranks, pin=pin,
            features=features.stores,
        )  # fmt: skip


def _digest(rows: Rows) -> str:
    digest = hashlib.sha256()
    for row in _spread(rows, DIGESTED):
        digest.update(repr((row.key, row.target, row.inputs.get("text"))).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def _spread(rows: Rows, most: int) -> Iterator[Example]:
    """Yield some rows that can be read, spread evenly; of a stream, the first."""
    count = most if isinstance(rows, Stream) else min(len(rows), most)
    places = None if isinstance(rows, Stream) else [i * len(rows) // count for i in range(count)]
    return islice(readable(rows, OnError.SKIP, places), count)


@contextmanager
def _keeping_the_process() -> Iterator[None]:
    """Undo what Lightning sets for the whole process: what follows has all cores again, and operations of any order."""
    before, ordered = os.environ.get("OMP_NUM_THREADS"), torch.are_deterministic_algorithms_enabled()
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(ordered)
        if before is None:
            os.environ.pop("OMP_NUM_THREADS", None)
