"""Trains the toy model in a process of its own: `training_toy_run.py train|resume FOLDER NAME OPTION=VALUE ...`."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from mmlm_core.composition import Composition
from mmlm_core.overriding import override
from mmlm_core.plugins import Plugins, load_plugins

SLOTS = ("data", "fusion", "backbone", "head", "optimizer", "schedule")


def toy_plugins() -> Plugins:
    os.environ["MMLM_PLUGINS"] = os.environ.get("TOY_PLUGIN", "training_toy_plugin")
    return load_plugins()


def toy_composition(plugins: Plugins, folder: Path, name: str | None, *changes: str, **slots: Any) -> Composition:
    mapping: dict[str, Any] = {slot: {"name": "toy", **slots.get(slot, {})} for slot in SLOTS}
    mapping |= {"encoder": {"point": {"name": "toy"}}, "projection": {"point": {"name": "toy"}}}
    mapping |= {"run": {"folder": str(folder), "name": name}, "loader": {"batch_size": 4}, "tracker": {"wandb": "off"}}
    mapping["trainer"] = {"max_epochs": 3, "precision": "fp32", "threads": 1, "log_every_steps": 2, "progress": False,
                          "accelerator": "cpu"}  # fmt: skip
    return override(mapping, plugins.registry, changes, "the test")


def kill_at(moment: str) -> None:
    """Make this process end itself: `step:7`, `interrupt:7` or (the first of several alone) `terminate:7` after an
    update, `write:2` in a checkpoint's write.
    """
    what, _, number = moment.partition(":")
    signals = {"step": signal.SIGKILL, "interrupt": signal.SIGINT, "terminate": signal.SIGTERM}
    if what in signals:
        from mmlm_core.training.conductor import Conductor

        original = Conductor.on_train_batch_end

        def end(self: Conductor, trainer: Any, *rest: Any) -> None:
            original(self, trainer, *rest)
            if trainer.global_step == int(number) and (what != "terminate" or trainer.is_global_zero):
                os.kill(os.getpid(), signals[what])

        Conductor.on_train_batch_end = end  # type: ignore[method-assign]
    elif what == "validation":
        from mmlm_core.training.conductor import Conductor

        def validated(self: Conductor, trainer: Any, *rest: Any) -> None:
            if trainer.current_epoch + 1 == int(number):
                os.kill(os.getpid(), signal.SIGKILL)
            after(self, trainer, *rest)

        after = Conductor.on_validation_end
        Conductor.on_validation_end = validated  # type: ignore[method-assign]
    elif what == "write":
        import torch

        save, writes = torch.save, iter(range(1, 1000))

        def half(value: Any, path: Path) -> None:
            save(value, path)
            if next(writes) == int(number):
                os.truncate(path, path.stat().st_size // 2)
                os.kill(os.getpid(), signal.SIGKILL)

        torch.save = half
    elif what == "evaluation":
        from mmlm_core.training import session

        original_run = session.Session.run

        def run(self: Any, checkpoint: Any) -> Any:
            original_run(self, checkpoint)
            os.kill(os.getpid(), signal.SIGKILL)

        session.Session.run = run  # type: ignore[method-assign]


if __name__ == "__main__":
    from mmlm_core.training import resume, train

    command, folder, name, *changes = sys.argv[1:]
    kill_at(os.environ.get("TOY_KILL", ""))
    if command == "resume":
        resume(Path(folder) / name, toy_plugins())
    else:
        installed = toy_plugins()
        train(toy_composition(installed, Path(folder), name, *changes), installed, changes)
