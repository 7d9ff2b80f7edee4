"""The model as Lightning trains it."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from mmlm_core.errors import RunError
from mmlm_core.interfaces import Optimizer, Schedule
from mmlm_core.model import Model
from mmlm_core.training.clock import Clock
from mmlm_core.training.feature_cache import FeatureCache
from mmlm_core.training.meter import Meter
from mmlm_core.types import Batch

__all__ = ["TrainingModule"]


class TrainingModule(LightningModule):
    """A model with its optimizer and its schedule.

    Nothing is logged through Lightning: the meters keep sums on the device, and whoever wants them reads them.

    Args:
        model: The composed model.
        optimizer: Makes the optimizer of its parameters.
        schedule: The factor on each learning rate.
        clock: The share of the training that is done.
        features: Those of frozen encoders.

    Attributes:
        training_meter: Losses of training, since they were last read.
        validation_meter: Losses of the validation.
    """

    def __init__(
        self, model: Model, optimizer: Optimizer, schedule: Schedule, clock: Clock, features: FeatureCache
    ) -> None:
        super().__init__()
        self.model = model
        self.training_meter = Meter()
        self.validation_meter = Meter()
        self._optimizer = optimizer
        self._schedule = schedule
        self._clock = clock
        self._features = features
        # What is derived and not saved, as a table of positions that grows, is on each rank as large as its rows need.
        derived = {name for name, _ in self.named_buffers()} - self.state_dict().keys()
        DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(self, derived)  # type: ignore[no-untyped-call]

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the mean loss of a batch.

        Shape: -> [].
        """
        del index
        loss = self.model.loss(self._features.complete(batch))
        self.training_meter.add(loss, batch.size)
        return loss.mean

    def validation_step(self, batch: Batch, index: int) -> None:
        """Take in the loss of a batch."""
        del index
        self.validation_meter.add(self.model.loss(self._features.complete(batch)), batch.size)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Check that a checkpoint is of this model.

        Raises:
            RunError: It is of another one.
        """
        own, other = self.state_dict(), checkpoint["state_dict"]
        for name in sorted({*own, *other}):
            shapes = [list(state[name].shape) if name in state else "missing" for state in (other, own)]
            if shapes[0] != shapes[1]:
                part = name.removeprefix("model.")
                raise RunError(f"The checkpoint is not of this composition: `{part}` is {shapes[0]} there and "
                               f"{shapes[1]} here. Has `config.yaml` been changed since it began?")  # fmt: skip

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimizer; each group's learning rate now is its peak."""
        optimizer = self._optimizer.build(self.model)
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        return optimizer

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Set the learning rates of the coming update."""
        step = self.trainer.global_step
        factor = self._schedule.factor(step, self._clock.share(step))
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Return the batch on a device; the rows themselves stay where they are."""
        del dataloader_idx
        return batch if device.type == "cpu" else batch.to(device, non_blocking=True)
