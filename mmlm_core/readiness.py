"""Whether this machine can do what a training asks of it: told before anything slow begins, all at once.

Imports no torch where the options alone, or the number of cores, decide.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mmlm_core import machine
from mmlm_core.errors import MmlmError, OptionError, RunError, UnknownChoiceError, did_you_mean, gather, one_of
from mmlm_core.runs import is_main, is_taken, taken
from mmlm_core.settings import Precision, RunOptions, Settings, TrainerOptions

__all__ = ["ACCELERATORS", "SHARDED", "STRATEGIES", "check_machine"]

ACCELERATORS = ("auto", "cpu", "cuda", "gpu", "mps", "tpu")
"""Lightning's accelerators."""

STRATEGIES = (
    "auto", "single_device", "single_tpu", "single_xla", "xla", "xla_debug",
    *(f"{name}{ending}" for name in ("ddp", "ddp_fork", "ddp_notebook", "ddp_spawn")
      for ending in ("", "_find_unused_parameters_false", "_find_unused_parameters_true")),
)  # fmt: skip
"""Lightning's strategies under which each process has the whole model."""

SHARDED = ("fsdp", "deepspeed", "model_parallel")
"""How the names of the strategies begin under which no process has the whole model."""


def check_machine(settings: Settings, *, resumed: bool = False) -> None:
    """Check the devices, the arithmetic and the folder that a training asks for.

    Args:
        settings: Of the training.
        resumed: It goes on in its folder, and makes none.

    Raises:
        MmlmError: Everything of these that this machine does not have, or Lightning does not know.
    """
    makes_folder = is_main() and not resumed
    problems = [*_devices(settings.trainer), *(_folder(settings.run) if makes_folder else ())]
    if problems:
        raise gather(problems)


def _devices(options: TrainerOptions) -> Iterator[MmlmError]:
    strategy, accelerator = options.strategy, options.accelerator
    if strategy.startswith(SHARDED):
        yield OptionError(f"`trainer.strategy={strategy}` cuts the model into pieces, which the saved weights and "
                          "their average would be too: train with `auto` or `ddp`.")  # fmt: skip
    elif strategy not in STRATEGIES:
        yield UnknownChoiceError(f"`trainer.strategy={strategy}` is no strategy of Lightning."
                                 f"{did_you_mean(strategy, STRATEGIES)}{one_of(STRATEGIES)}")  # fmt: skip
    if accelerator not in ACCELERATORS:
        yield UnknownChoiceError(f"`trainer.accelerator={accelerator}` is no accelerator of Lightning."
                                 f"{did_you_mean(accelerator, ACCELERATORS)}{one_of(ACCELERATORS)}")  # fmt: skip
        return
    on_a_cpu = accelerator in ("auto", "cpu")
    if accelerator == "tpu" or (on_a_cpu and options.devices == 1 and options.precision is not Precision.FP16):
        return  # Lightning counts the former; the latter every machine can do
    gpus = 0 if accelerator == "cpu" else _gpus(accelerator)
    if not (gpus or on_a_cpu):
        yield OptionError(f"`trainer.accelerator={accelerator}` needs a GPU, and torch finds none here (`mmlm doctor` "
                          "says more): train with `trainer.accelerator=cpu`.")  # fmt: skip
        return
    yield from _count(options.devices, gpus)
    if options.precision is Precision.FP16 and not gpus:
        yield OptionError("`trainer.precision=fp16` needs a GPU; a CPU computes in `fp32`, or in `bf16` where it can.")


def _count(devices: int, gpus: int) -> Iterator[OptionError]:
    """Refuse more devices than there are; of a CPU, they are processes, two of which may share a core."""
    cores = machine.cores()
    if gpus and devices > gpus:
        yield OptionError(f"`trainer.devices={devices}` must be at most {gpus}, the GPUs of this machine.")
    elif not gpus and devices > max(cores, 2):
        told = "the only core" if cores == 1 else f"the {cores} cores"
        yield OptionError(f"`trainer.devices={devices}` must be at most {max(cores, 2)}: they are processes of a CPU, "
                          f"and share {told} that this one may use.")  # fmt: skip


def _gpus(accelerator: str) -> int:
    """Return how many graphics cards an accelerator would take; here torch is imported."""
    import torch

    cards = torch.cuda.device_count() if accelerator != "mps" else 0
    return cards or int(accelerator != "cuda" and torch.backends.mps.is_available())


def _folder(options: RunOptions) -> Iterator[RunError]:
    """Try whether the folder of the runs can be made and written, and leave everything as it was."""
    folder = Path(options.folder)
    if options.name and is_taken(folder / options.name):
        yield taken(folder / options.name, options.name)
        return
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        Path(tempfile.mkdtemp(prefix=".", dir=folder)).rmdir()
    except OSError as error:
        yield RunError(f"`run.folder={folder}` cannot hold runs: {error.strerror or error}. "
                       "Name a folder that can be written.")  # fmt: skip
    finally:
        for path in missing:
            with suppress(OSError):
                path.rmdir()
