"""What is looked at before a training goes on, without torch: a run that cannot is told at once."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from mmlm_core.errors import RunError
from mmlm_core.files import read_json
from mmlm_core.plugins import Plugins
from mmlm_core.run_reader import RunRecord, find_data, read_run
from mmlm_core.runs import RunFolder

__all__ = ["last_checkpoint", "read_unfinished"]


def read_unfinished(run: Path, plugins: Plugins | None = None) -> RunRecord:
    """Read a run whose training can go on, as far as can be told without reading its weights or its rows.

    Args:
        run: The run folder.
        plugins: The installed plugins; None: they are loaded.

    Raises:
        RunError: The training has ended already; or the folder is not as it was: a file is missing or cut off.
        MmlmError: The data is not there.
    """
    record = read_run(run, plugins=plugins, trained=False)
    folder = record.folder
    if folder.summary.exists():
        ended = read_json(folder.summary)
        raise RunError(f"The training of `{run}` has ended already, after {ended.get('epochs')} epochs and "
                       f"{ended.get('steps')} steps: there is nothing to resume.")  # fmt: skip
    checkpoint = last_checkpoint(folder)
    if checkpoint is not None:
        _check_archive(checkpoint)
        _check_lines(folder.metrics)
    find_data(record, "go on there.")
    return record


def last_checkpoint(folder: RunFolder) -> Path | None:
    """Return the last checkpoint; None where there has been none yet.

    Raises:
        RunError: There was one, and it is gone.
    """
    if folder.checkpoint.exists():
        return folder.checkpoint
    if folder.weights.exists():
        raise RunError(f"`{folder.checkpoint}` is missing, and `{folder.weights.name}` tells of a training that got "
                       "farther: put it back, or train anew under another name.")  # fmt: skip
    return None


def _check_archive(checkpoint: Path) -> None:
    """Raise where a checkpoint lacks its end: what it is made of stands there."""
    try:
        with ZipFile(checkpoint):
            pass
    except (BadZipFile, OSError) as error:
        told = f"it has {checkpoint.stat().st_size:,} bytes and no end, as a file that was copied in part"
        raise RunError(f"The checkpoint `{checkpoint}` cannot be read: {told}. Copy it again, or train anew under "
                       "another name.") from error  # fmt: skip


def _check_lines(metrics: Path) -> None:
    """Raise where a line of figures is none; the last may be cut off, where its writer was killed."""
    if not metrics.exists():
        return
    for number, line in enumerate(metrics.read_bytes().split(b"\n")[:-1], 1):
        try:
            json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RunError(f"Line {number} of `{metrics}` is no JSON: {error}.") from error
