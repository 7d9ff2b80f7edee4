"""The run folder: where the parts of a run lie, and how a new one is made. Everything in it is written atomically.

config.yaml  overrides.yaml  environment.json    what was asked for, and where it ran
tokenizer/  facts.json  model.safetensors        what prediction needs
checkpoints/last.ckpt                            what an exact resume needs
metrics.jsonl  summary.json                      figures on the way, and at the end
predictions.jsonl  samples.json  metrics_test.json    the evaluation; of another split, each with its name
report.html                                      the page that shows it all
evaluations/<overrides>/                         the same of evaluations that changed something
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mmlm_core.errors import RunError
from mmlm_core.settings import RunOptions

__all__ = ["RUN_VARIABLE", "RunFolder", "alone", "clean", "create_run", "is_first_here", "is_main", "is_taken", "taken"]

TEST = "test"
LOCK = ".lock"
"""The file of a run folder that the process holds which trains it."""
MOST_NAME = 80
RANKS = ("RANK", "SLURM_PROCID", "LOCAL_RANK")
LOCAL_RANKS = ("LOCAL_RANK", "SLURM_LOCALID")
SIZES = ("WORLD_SIZE", "SLURM_NTASKS")
RUN_VARIABLE = "MMLM_RUN_FOLDER"
"""The environment variable through which the processes of one job share a run folder."""


@dataclass(frozen=True)
class RunFolder:
    """Where the parts of a run lie."""

    path: Path

    @property
    def config(self) -> Path:
        """The composition."""
        return self.path / "config.yaml"

    @property
    def overrides(self) -> Path:
        """The command line's overrides."""
        return self.path / "overrides.yaml"

    @property
    def environment(self) -> Path:
        """Versions, seed, machine, command."""
        return self.path / "environment.json"

    @property
    def tokenizer_folder(self) -> Path:
        """The tokenizer's own files."""
        return self.path / "tokenizer"

    @property
    def facts(self) -> Path:
        """What the head knows of the training targets."""
        return self.path / "facts.json"

    @property
    def weights(self) -> Path:
        """The best weights so far."""
        return self.path / "model.safetensors"

    @property
    def checkpoint(self) -> Path:
        """The state from which the training resumes."""
        return self.path / "checkpoints" / "last.ckpt"

    @property
    def metrics(self) -> Path:
        """The figures of training and validation, one step a line."""
        return self.path / "metrics.jsonl"

    @property
    def summary(self) -> Path:
        """How the training ended; it is there once it has."""
        return self.path / "summary.json"

    @property
    def report(self) -> Path:
        """The page that shows the run."""
        return self.path / "report.html"

    def evaluation(self, split: str) -> Path:
        """Return the file of a split's metrics."""
        return self.path / f"metrics_{split}.json"

    def predictions(self, split: str) -> Path:
        """Return the file of a split's predictions, one row a line; that of the test has no split in its name."""
        return self.path / ("predictions.jsonl" if split == TEST else f"predictions_{split}.jsonl")

    def samples(self, split: str) -> Path:
        """Return the file of a few rows of a split with their predictions; during a training, the latest ones."""
        return self.path / ("samples.json" if split == TEST else f"samples_{split}.json")

    def changed(self, overrides: Sequence[str]) -> RunFolder:
        """Return where an evaluation with overrides is written, so that the run's own figures stay; itself without."""
        if not overrides:
            return self
        told = ",".join(overrides)
        name = re.sub(r"[^\w.=,+-]", "_", told)[:MOST_NAME]
        if name != told:
            name = f"{name}_{hashlib.sha256(told.encode()).hexdigest()[:6]}"
        return RunFolder(self.path / "evaluations" / name)


def is_main() -> bool:
    """Whether this process is the first of its job, the one that writes."""
    return all(os.environ.get(name, "0") == "0" for name in RANKS)


def is_first_here() -> bool:
    """Whether this process is the first of its job on this machine."""
    return all(os.environ.get(name, "0") == "0" for name in LOCAL_RANKS)


def create_run(options: RunOptions) -> RunFolder:
    """Make the folder of a new run.

    A folder without a given name is named by date and time, made unique; the processes of one job share one.

    Raises:
        RunError: A folder of the given name is there already, or the environment says two things of this process.
    """
    _check_environment()
    given = os.environ.get(RUN_VARIABLE)
    if not is_main() and given:
        return RunFolder(Path(given))
    parent = Path(options.folder)
    name = options.name or _job_name()
    if name is None:
        stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
        return RunFolder(_make_unique(parent, stamp))
    path = parent / name
    try:
        path.mkdir(parents=True, exist_ok=not is_main())
    except FileExistsError as error:
        if is_taken(path):
            raise taken(path, name) from error
    return RunFolder(path)


def is_taken(path: Path) -> bool:
    """Whether there is something already where a run is to be made; a folder with nothing but a lock is free."""
    return path.exists() and not (path.is_dir() and all(entry.name == LOCK for entry in path.iterdir()))


def taken(path: Path, name: str) -> RunError:
    """Return the error of a name that is taken."""
    return RunError(f"`run.name={name}` names a run that is there already, `{path}`: choose another name, or go on "
                    f"with it by `mmlm train --resume {path}`.")  # fmt: skip


@contextmanager
def alone(folder: RunFolder) -> Iterator[None]:
    """Keep other processes from training the same run; those of this job, but the first, pass.

    Raises:
        RunError: Another process trains it.
    """
    if not is_main():
        yield
        return
    from filelock import FileLock, Timeout

    try:
        with FileLock(folder.path / LOCK, timeout=0):
            try:
                yield
            finally:
                with suppress(OSError):
                    (folder.path / LOCK).unlink(missing_ok=True)
    except Timeout as error:
        raise RunError(f"`{folder.path}` is being trained by another process.") from error


def clean(folder: RunFolder) -> None:
    """Remove what killed writes have left."""
    for left in folder.path.rglob(".*.tmp"):
        left.unlink(missing_ok=True)


def _check_environment() -> None:
    """Refuse variables of a job of several processes that do not agree: such a process would write nothing."""
    for name in (*RANKS, *SIZES):
        if not os.environ.get(name, "0").isdecimal():
            raise RunError(f"The environment variable `{name}` must be a number, not `{os.environ[name]}`.")
    ranks = [name for name in RANKS if int(os.environ.get(name, "0"))]
    if ranks and RUN_VARIABLE not in os.environ and all(int(os.environ.get(name, "1")) <= 1 for name in SIZES):
        raise RunError(f"The environment variable `{ranks[0]}={os.environ[ranks[0]]}` says that this is one of several "
                       f"processes, and `WORLD_SIZE` does not: `unset {ranks[0]}`.")  # fmt: skip


def _make_unique(parent: Path, stamp: str) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        path = parent / (stamp if number == 1 else f"{stamp}_{number}")
        try:
            path.mkdir()  # fails where it is there, also between two processes
        except FileExistsError:
            number += 1
        else:
            return path


def _job_name() -> str | None:
    """Return a name that every process of a job of several knows; None where this process starts the job itself."""
    variables = os.environ
    if int(variables.get("SLURM_NTASKS", "1")) > 1 and "SLURM_JOB_ID" in variables:
        return f"slurm-{variables['SLURM_JOB_ID']}"
    if int(variables.get("WORLD_SIZE", "1")) > 1 and variables.get("TORCHELASTIC_RUN_ID", "none") != "none":
        return f"job-{variables['TORCHELASTIC_RUN_ID']}"
    return None
