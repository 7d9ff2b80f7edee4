"""What happens around the steps of a training, in its order: averaging, logging, limits, validation, checkpoints."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from mmlm_core.data import BatchLoader
from mmlm_core.errors import MmlmError
from mmlm_core.files import write_json
from mmlm_core.runs import RunFolder
from mmlm_core.samples import sample
from mmlm_core.settings import TrainerOptions
from mmlm_core.training import random_state
from mmlm_core.training.average import Average
from mmlm_core.training.bar import Bar
from mmlm_core.training.clock import Clock
from mmlm_core.training.interrupts import Interrupts
from mmlm_core.training.module import TrainingModule
from mmlm_core.training.selection import Selection
from mmlm_core.training.trackers import Trackers
from mmlm_core.training.validator import Validator
from mmlm_core.weights import save_weights

__all__ = ["Conductor"]

SHOWN_SAMPLES = 24
"""Validation rows that the run folder shows while the training goes on."""


class Conductor(Callback):
    """The one callback of a training, so that the order of what happens stands in one place.

    After each update: the moving average, the figures (every `log_every_steps`), the limits, the checkpoint (every
    `checkpoint_every_steps`), the progress bar. After each validation: its figures, the best weights, the patience.
    After each epoch: the checkpoint.

    Args:
        module: The model in training.
        folder: The run.
        options: The intervals, the average's decay.
        clock: The limits.
        selection: The best weights and the patience.
        validator: Predictions of a validation.
        trackers: Where figures go.
        bar: The progress bar.
        interrupts: Whether the user has asked for an end.
        counts: What a loss counts, as `tokens`; empty: nothing whose speed is told.

    Attributes:
        loader: The training's rows, once they are there.
    """

    def __init__(
        self,
        module: TrainingModule,
        folder: RunFolder,
        options: TrainerOptions,
        clock: Clock,
        selection: Selection,
        validator: Validator,
        trackers: Trackers,
        bar: Bar,
        interrupts: Interrupts,
        counts: str = "",
    ) -> None:
        self._module = module
        self._folder = folder
        self._options = options
        self._clock = clock
        self._selection = selection
        self._validator = validator
        self._trackers = trackers
        self._bar = bar
        self._interrupts = interrupts
        self._counts = counts
        self.loader: BatchLoader | None = None
        self._average: Average | None = None
        self._loaded: dict[str, Any] | None = None
        self._random: list[dict[str, Any]] | None = None
        self._step = 0
        self._began = 0.0

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Put the training's rows where the checkpoint stood.

        Lightning does so in the midst of an epoch alone; where the rows have no length, it also looks a batch ahead
        before it tells which epoch it is.
        """
        states = checkpoint["loops"]["fit_loop"]["state_dict"].get("combined_loader", [])
        if self.loader is not None and states:
            self.loader.load_state_dict(states[0])

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start, or go on from where a checkpoint stood; the model lies on its device by now."""
        del pl_module
        self._interrupts.hear_alone()
        if trainer.world_size > 1:
            for meter in (self._module.training_meter, self._module.validation_meter):
                meter.ranks, meter.reduce = trainer.world_size, partial(trainer.strategy.reduce, reduce_op="sum")
        self._take_average()
        self._step = trainer.global_step
        self._clock.start()
        self._stop_where_due(trainer)
        self._module.training_meter.run()
        self._bar.start(self._clock, self._step)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """See that the last epoch is validated, whatever the interval."""
        if trainer.max_epochs is not None and trainer.current_epoch + 1 == trainer.max_epochs:
            trainer.check_val_every_n_epoch = 1

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Bring back the randomness of a resumed training, once its first batch is there."""
        if self._random is not None:
            random_state.restore(self._random[trainer.global_rank])
            self._random = None

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Do what is due after an update."""
        step = trainer.global_step
        if step == self._step:  # gradients are being accumulated
            return
        self._step = step
        if self._average is not None:
            self._average.update(step)
        self._stop_where_due(trainer)
        if step % self._options.log_every_steps == 0 or trainer.should_stop:
            self._log_training(trainer)
        self._bar.step(step, trainer.current_epoch)
        every = self._options.checkpoint_every_steps
        due = self._interrupts.asked or (every and step % every == 0)
        if due and not trainer.is_last_batch and not trainer.should_stop:  # else the epoch's end writes it
            self._write_checkpoint(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the average in the weights' place."""
        self._began = time.monotonic()
        self._module.training_meter.pause()
        if self._average is not None:
            self._average.swap()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure, log, keep the best weights, and bring the weights of training back."""
        figures = self._validation_figures(trainer)
        better = self._selection.is_better(figures, self._step)
        if trainer.is_global_zero:
            self._trackers.log("validation", self._step, trainer.current_epoch, figures)
            if better:
                save_weights(self._module.model, self._folder.weights)
                self._show_samples()
        if self._average is not None:
            self._average.swap()
        loss = self._module.training_meter.mean_loss()
        self._bar.validated(self._step, trainer.current_epoch, loss, figures, better)
        self._clock.reserve(self._same(trainer, time.monotonic() - self._began))
        self._stop_where_due(trainer)
        self._module.training_meter.run()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the checkpoint, after the validation."""
        self._write_checkpoint(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the last weights where no validation has chosen any."""
        self._bar.close()
        self._keep_last(trainer)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """See `on_train_end`, which Lightning leaves out where a resumed training has nothing left to do."""
        if self._loaded is not None:
            self._take_average()
            self._keep_last(trainer)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Take the bar away, so that the message stands alone."""
        self._bar.close()

    def state_dict(self) -> dict[str, Any]:
        """Return what an exact resume needs beside what Lightning keeps."""
        return {
            "clock": self._clock.state_dict(),
            "selection": self._selection.state_dict(),
            "average": None if self._average is None else self._average.state_dict(),
            "meter": self._module.training_meter.state_dict(),
            "random": random_state.capture_ranks(),
            "metrics_size": self._trackers.file.size,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state; the average waits until the model lies on its device, randomness for the first batch."""
        self._clock.load_state_dict(state_dict["clock"])
        self._selection.load_state_dict(state_dict["selection"])
        self._module.training_meter.load_state_dict(state_dict["meter"])
        self._trackers.file.cut(state_dict["metrics_size"])
        self._random = state_dict["random"]
        self._loaded = state_dict

    def _write_checkpoint(self, trainer: Trainer) -> None:
        """Write the checkpoint, and stop where the user has asked for it.

        Raises:
            KeyboardInterrupt: They have.
        """
        trainer.save_checkpoint(self._folder.checkpoint)
        if self._interrupts.asked and not trainer.should_stop:
            raise KeyboardInterrupt

    def _take_average(self) -> None:
        if self._options.average_decay:
            self._average = Average(self._module.model, self._options.average_decay)
            if self._loaded is not None and self._loaded["average"] is not None:
                self._average.load_state_dict(self._loaded["average"])
        self._loaded = None

    def _stop_where_due(self, trainer: Trainer) -> None:
        if self._clock.seconds is not None and trainer.world_size > 1:
            self._clock.agree(self._same(trainer, self._clock.elapsed))
        if self._clock.done(self._step) or self._selection.exhausted:
            trainer.should_stop = True
            trainer.check_val_every_n_epoch = 1  # whatever the interval, the last weights are validated

    def _log_training(self, trainer: Trainer) -> None:
        figures = self._module.training_meter.read()
        if not math.isfinite(figures["loss"]):
            raise MmlmError(
                f"The loss is not a number any more after step {self._step}: lower `optimizer.lr`, "
                "or raise the precision (`trainer.precision=fp32`)."
            )
        figures.pop("count", None)
        speed = figures.pop("counts_per_second", None)
        if speed is not None and self._counts:
            figures[f"{self._counts}_per_second"] = speed
        figures["lr"] = max(group["lr"] for group in trainer.optimizers[0].param_groups)
        figures["seconds"] = round(self._clock.elapsed, 3)
        self._bar.figures(figures)
        if trainer.is_global_zero:
            self._trackers.log("train", self._step, trainer.current_epoch, figures)

    def _validation_figures(self, trainer: Trainer) -> dict[str, float]:
        figures = self._module.validation_meter.read()
        figures.pop("count", None)
        if trainer.is_global_zero:
            figures |= self._validator.measure(self._module.device, trainer.precision_plugin.forward_context())
        return self._same(trainer, figures)  # type: ignore[no-any-return]

    def _show_samples(self) -> None:
        rows = self._validator.rows
        self._trackers.log_samples(self._step, rows)
        processors = self._module.model.processors()
        shown = [sample(example, prediction, processors) for example, prediction in rows[:SHOWN_SAMPLES]]
        write_json(self._folder.samples("validation"), {"split": "validation", "rows": shown})

    def _keep_last(self, trainer: Trainer) -> None:
        if self._selection.best is None and trainer.is_global_zero:
            if self._average is not None:
                self._average.swap()
            save_weights(self._module.model, self._folder.weights)

    @staticmethod
    def _same(trainer: Trainer, value: Any) -> Any:
        """Return the first rank's value on every rank."""
        return trainer.strategy.broadcast(value) if trainer.world_size > 1 else value
