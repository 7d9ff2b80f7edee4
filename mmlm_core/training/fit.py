"""Trains a composition from its rows to its report, and goes on with a training that was interrupted."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from mmlm_core.boxes import boxes, count
from mmlm_core.build import build
from mmlm_core.compat import check
from mmlm_core.composition import Composition
from mmlm_core.errors import RunError
from mmlm_core.plugins import Plugins, load_plugins
from mmlm_core.preparation import Preparation, make_source, make_tokenizer, prepare
from mmlm_core.readiness import check_machine
from mmlm_core.record import record_start
from mmlm_core.resuming import last_checkpoint, read_unfinished
from mmlm_core.run_reader import RunRecord
from mmlm_core.runs import RUN_VARIABLE, RunFolder, alone, clean, create_run, is_main
from mmlm_core.training import random_state
from mmlm_core.training.ending import finish
from mmlm_core.training.held_out import try_held_out
from mmlm_core.training.overview import print_start
from mmlm_core.training.session import Session

__all__ = ["resume", "train"]


def train(composition: Composition, plugins: Plugins | None = None, overrides: Sequence[str] = ()) -> Path:
    """Train a composition, evaluate it and write its report.

    Args:
        composition: What to train, and how.
        plugins: The installed plugins; None: they are loaded.
        overrides: What the composition differs in from the defaults, as the command line gave it; for the record.

    Returns:
        The run folder.

    Raises:
        MmlmError: The parts do not fit together, this machine lacks what the options ask for, the run's name is taken,
            the rows cannot be used.
    """
    plugins = plugins or load_plugins()
    check(composition, plugins.registry)
    check_machine(composition.settings)
    folder = create_run(composition.settings.run)
    with _removed_if_empty(folder), alone(folder), _one_folder(folder, composition):
        random_state.seed_all(composition.settings.run.seed)
        preparation = prepare(composition)
        session = Session(folder, preparation)
        try_held_out(preparation, session.rows)
        if is_main():
            _record(folder, preparation, plugins, overrides, session)
        _run(session, plugins, None)
    return folder.path


def resume(run: Path | RunRecord, plugins: Plugins | None = None) -> Path:
    """Go on with a training that was interrupted, from its last checkpoint, as if it had not been.

    Args:
        run: The run folder, or what `mmlm_core.resuming.read_unfinished` returned for it.
        plugins: The installed plugins; None: they are loaded.

    Returns:
        The run folder.

    Raises:
        RunError: The training has ended already, or the folder or its data are not as they were.
    """
    record = run if isinstance(run, RunRecord) else read_unfinished(run, plugins)
    folder, composition = record.folder, record.composition
    check_machine(composition.settings, resumed=True)
    with alone(folder), _one_folder(folder, composition):
        random_state.seed_all(composition.settings.run.seed)
        checkpoint = last_checkpoint(folder)
        session = Session(folder, prepare(composition) if checkpoint is None else _prepare_again(record))
        _check_rows(record, session)
        if is_main():
            clean(folder)
            if checkpoint is None:  # it was killed before the first one: it begins anew, with the same seed and all
                folder.metrics.unlink(missing_ok=True)
                session.console.print("There is no checkpoint yet: the training begins anew.")
        _run(session, record.plugins, checkpoint)
    return folder.path


def _run(session: Session, plugins: Plugins, checkpoint: Path | None) -> None:
    preparation, folder = session.preparation, session.folder
    if is_main():
        made = boxes(preparation.composition, plugins, preparation.model, preparation.tokenizer)
        told = [preparation.started, session.told_excess(), session.told()]
        print_start(session.console, made, count(preparation.model), session.sizes, "\n".join(filter(None, told)))
    outcome = session.run(checkpoint)
    if is_main():
        finish(folder, preparation.composition, outcome, session.sizes, session.console)


def _prepare_again(record: RunRecord) -> Preparation:
    """Return what the run was prepared with, out of its folder."""
    composition = record.composition
    tokenizer = make_tokenizer(composition)
    if tokenizer is not None:
        tokenizer.load(record.tokenizer_folder)
    model = build(composition, tokenizer=tokenizer, facts=record.facts)
    return Preparation(composition, make_source(composition), tokenizer, record.facts, model)


def _record(
    folder: RunFolder, preparation: Preparation, plugins: Plugins, overrides: Sequence[str], session: Session
) -> None:
    composition, model = preparation.composition, preparation.model
    made = boxes(composition, plugins, model, preparation.tokenizer)
    more = {
        "precision": session.precision.value,
        "threads": session.threads,
        "rows": session.sizes,
        "digests": session.digests(),
        "parameters": count(model),
        "monitor": model.head.monitor[0],
        "boxes": [vars(box) for box in made],
        "started": preparation.started,
    }
    record_start(folder, composition, plugins, overrides, preparation.tokenizer, preparation.facts, more)


def _check_rows(record: RunRecord, session: Session) -> None:
    """Refuse to go on with other data than before: nothing would be as if it had not been interrupted."""
    path = record.folder.path
    before = record.environment.get("rows", session.sizes)
    if before != session.sizes:
        told = [
            f"`{split}` had {_count(before.get(split, 0))} rows and has {_count(session.sizes.get(split, 0))}"
            for split in sorted({*before, *session.sizes})
            if before.get(split) != session.sizes.get(split)
        ]
        raise RunError(f"The data of `{path}` has changed since its training began: {'; '.join(told)}.")
    digests = session.digests()
    changed = [f"`{split}`" for split, digest in record.environment.get("digests", digests).items()
               if digest != digests.get(split)]  # fmt: skip
    if changed:
        raise RunError(f"The data of `{path}` has changed since its training began: there are other rows in "
                       f"{' and '.join(changed)}.")  # fmt: skip


def _count(rows: int | None) -> str:
    return "uncounted" if rows is None else f"{rows:,}"


@contextmanager
def _removed_if_empty(folder: RunFolder) -> Iterator[None]:
    """Remove the folder of a training that failed before anything was written."""
    try:
        yield
    except BaseException:
        if is_main():
            with suppress(OSError):
                folder.path.rmdir()  # only where nothing was written into it
        raise


@contextmanager
def _one_folder(folder: RunFolder, composition: Composition) -> Iterator[None]:
    """Tell the other processes of this job, which Lightning starts, which folder is theirs."""
    options = composition.settings.trainer
    starts_others = options.devices * options.nodes > 1 and is_main() and RUN_VARIABLE not in os.environ
    if starts_others:
        os.environ[RUN_VARIABLE] = str(folder.path)
    try:
        yield
    finally:
        if starts_others:
            os.environ.pop(RUN_VARIABLE, None)
