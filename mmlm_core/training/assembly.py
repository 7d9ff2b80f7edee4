"""Assembles Lightning's trainer from our options."""

from __future__ import annotations

from pathlib import Path

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, Trainer

from mmlm_core import machine
from mmlm_core.errors import OptionError
from mmlm_core.settings import Precision, Settings, TrainerOptions
from mmlm_core.training.checkpoints import WholeCheckpoints

__all__ = ["DEFAULT_EPOCHS", "choose_precision", "make_trainer", "most_epochs", "on_gpu"]

DEFAULT_EPOCHS = 10
"""Passes over the training rows where no limit is given."""

LIGHTNING = {Precision.FP32: "32-true", Precision.BF16: "bf16-mixed", Precision.FP16: "16-mixed"}


def most_epochs(options: TrainerOptions) -> int | None:
    """Return the epochs at most, or None where only steps or minutes limit the training."""
    limited = options.max_epochs or options.max_steps or options.max_minutes
    return options.max_epochs if limited else DEFAULT_EPOCHS


def choose_precision(options: TrainerOptions) -> Precision:
    """Return the arithmetic: `auto` is bf16 where the device computes it natively, else fp32."""
    gpu = on_gpu(options)
    if options.precision is not Precision.AUTO:
        return options.precision
    if gpu:
        native = torch.cuda.get_device_capability() >= (8, 0)
    else:
        native = options.accelerator in ("auto", "cpu") and not torch.backends.mps.is_available()
        native = native and machine.computes_bf16()
    return Precision.BF16 if native else Precision.FP32


def on_gpu(options: TrainerOptions) -> bool:
    """Return whether the training is on a GPU of NVIDIA or AMD."""
    return options.accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()


def make_trainer(settings: Settings, folder: Path, callbacks: list[Callback], validates: bool) -> Trainer:
    """Return the trainer.

    Steps and minutes are limited by the conductor and not by Lightning, so that a training that ends in the middle of
    an epoch is validated too.

    Args:
        settings: All settings.
        folder: The run's.
        callbacks: What happens around the steps.
        validates: Whether there are rows to validate on.

    Raises:
        OptionError: Lightning has no such accelerator or strategy, or this machine has not.
    """
    options = settings.trainer
    try:
        return _trainer(settings, folder, callbacks, validates)
    except (MisconfigurationException, ValueError, RuntimeError, ImportError) as error:
        asked = ", ".join(f"`trainer.{name}={getattr(options, name)}`"
                          for name in ("accelerator", "devices", "nodes", "strategy"))  # fmt: skip
        raise OptionError(f"Lightning cannot train with {asked}: {' '.join(str(error).split())}") from error


def _trainer(settings: Settings, folder: Path, callbacks: list[Callback], validates: bool) -> Trainer:
    options = settings.trainer
    return Trainer(
        accelerator=options.accelerator,
        devices=options.devices,
        num_nodes=options.nodes,
        strategy=options.strategy,
        precision=LIGHTNING[choose_precision(options)],  # type: ignore[arg-type]
        max_epochs=most_epochs(options) or -1,
        accumulate_grad_batches=options.accumulate,
        gradient_clip_val=options.clip_norm or None,
        check_val_every_n_epoch=options.validate_every_epochs,
        limit_val_batches=None if validates else 0,
        num_sanity_val_steps=0,
        deterministic=settings.run.deterministic or None,
        use_distributed_sampler=False,  # the plan of batches deals the rows to the ranks
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        callbacks=callbacks,
        plugins=[WholeCheckpoints()],
    )
