"""Trains the jobs of a sweep, `mmlm train --multirun`; tells which have failed and why, and what the others reached."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmlm_core.cli import say
from mmlm_core.cli.menu import Menu
from mmlm_core.errors import MmlmError, RunError, gather, system_trouble
from mmlm_core.readiness import check_machine
from mmlm_core.runs import is_first_here, is_main

if TYPE_CHECKING:
    from omegaconf import DictConfig

__all__ = ["JobError", "check_jobs", "job", "sweep"]

SWEEP_VARIABLE = "MMLM_SWEEP_FOLDER"
"""The environment variable through which the processes of a sweep's jobs share its folder."""

UNEXPECTED = 1
"""The exit code after an error that is not the user's; Python's own."""


class JobError(Exception):
    """A job failed by an error that is not the user's; its traceback was printed when that happened."""


def check_jobs(application: Any, menu: Menu, overrides: Sequence[str]) -> None:
    """Check every job of a sweep before the first is trained, where the sweep can be listed.

    Raises:
        MmlmError: With everything that is wrong with each of them.
    """
    from mmlm_core.cli import checking, composing

    problems: list[MmlmError] = []
    for number, texts in enumerate(composing.jobs(checking.parse(overrides)) or []):
        try:
            composition = composing.to_composition(composing.compose(application, menu, texts), menu)
            composing.check(composition, menu.registry)
            check_machine(composition.settings)
        except MmlmError as error:
            problems.append(type(error)(f"{_told(number, texts)}: {error}"))
    if problems:
        raise gather(problems)


def sweep(application: Any, overrides: Sequence[str], place: str) -> None:
    """Train the jobs of a sweep, and tell what they reached; also where one failed.

    Args:
        application: What `composing.session` gives.
        overrides: Of the sweep.
        place: Its folder, which is said to Hydra, since the time in its name would be another by now.

    Raises:
        MmlmError: That of the first job that failed, where it is the user's.
        SystemExit: It is not, and was told.
    """
    from mmlm_core.cli import composing

    place = place if is_main() else os.environ.get(SWEEP_VARIABLE, place)
    os.environ[SWEEP_VARIABLE] = place
    quoted = place.replace("\\", "\\\\").replace('"', '\\"')
    where = [] if any(text.startswith("hydra.sweep.dir=") for text in overrides) else [f'hydra.sweep.dir="{quoted}"']
    try:
        application.multirun(config_name=composing.PRIMARY, task_function=job, overrides=[*overrides, *where])
    except BaseException as error:
        try:
            _compare(Path(place))
        except Exception as other:  # the job's own error is what must be told
            say.note(f"The runs of `{place}` cannot be compared: {other}")
        if isinstance(error, JobError):
            say.error(f"{error} (the traceback stands above)")
            raise SystemExit(UNEXPECTED) from error
        raise
    finally:
        del os.environ[SWEEP_VARIABLE]
    _compare(Path(place))


def job(cfg: DictConfig) -> float | None:
    """Train one job of a sweep; Hydra's launcher calls this, maybe in another process.

    Its run lies in the folder of the sweep, under the job's number, so that no two jobs meet.

    Returns:
        The validation loss of the weights that were kept, which a sweeper may minimise; None where there was none.

    Raises:
        MmlmError: The job cannot be trained; the launcher goes on with the others.
        JobError: It failed otherwise.
    """
    from hydra.core.hydra_config import HydraConfig

    from mmlm_core.cli import composing

    own = HydraConfig.get()
    overrides = composing.typed_overrides(own)
    try:
        return _train(cfg, own, overrides)
    except BrokenPipeError:  # the reader of the output has gone, which ends the command
        raise
    except Exception as error:
        raise _failed(error, own.job.num, overrides) from error


def _train(cfg: DictConfig, own: Any, overrides: Sequence[str]) -> float | None:
    """Train a job, of which Hydra's own node says the number and the folder; return its validation loss."""
    from omegaconf import open_dict

    from mmlm_core import compat
    from mmlm_core.cli import composing, source

    with open_dict(cfg):
        cfg.hydra = own
    menu = source.served()
    notes = composing.swapped(cfg, menu)
    composition = composing.to_composition(cfg, menu)
    compat.check(composition, menu.registry)
    settings = composition.settings.run
    settings.name = f"{settings.name}-{own.job.num}" if settings.name else str(own.job.num)
    settings.folder = str(own.sweep.dir)
    sys.stderr.write(f"job {own.job.num}: {' '.join(overrides)}\n")
    say.notes(notes)
    from mmlm_core.training import train

    summary = train(composition, menu.plugins, overrides=overrides) / "summary.json"
    figures = json.loads(summary.read_text(encoding="utf-8")).get("best", {}) if summary.is_file() else {}
    return figures.get("loss")


def _failed(error: Exception, number: int, overrides: Sequence[str]) -> Exception:
    """Tell at once why a job failed, since others may follow for hours; return the error that ends the sweep."""
    kind: type[Exception] = type(error) if isinstance(error, MmlmError) else RunError
    text = str(error) if isinstance(error, MmlmError) else system_trouble(error)
    if text is None:
        traceback.print_exception(error)
        kind, text = JobError, f"{type(error).__name__}: {error}"
    if is_first_here():  # all processes of a job find the same
        say.note(f"job {number} failed: {text}")
    return kind(f"{_told(number, overrides)}: {text}")


def _told(number: int, overrides: Sequence[str]) -> str:
    return f"job {number} ({' '.join(overrides)})"


def _compare(folder: Path) -> None:
    """Print and write what the runs in a sweep's folder have reached; nothing where there is none.

    Raises:
        RunError: A file of a run cannot be read.
    """
    from mmlm_core.report.sweep import comparison, read_sweep, write_comparison

    runs = read_sweep(folder) if is_main() else []
    if not runs:
        return
    heads, *rows = comparison(runs)
    splits = " and ".join(f"`{split}`" for split in sorted({run.split for run in runs if run.split}))
    written = " and ".join(str(path) for path in write_comparison(folder, runs))
    say.out(f"\nthe runs of {folder}{f', on {splits}' if splits else ''}")
    say.grid(heads, rows)
    say.out(f"\ncomparison: {written}")
