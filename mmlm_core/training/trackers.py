"""Where figures go: the run's own `metrics.jsonl` always; wandb and TensorBoard beside it."""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmlm_core import machine
from mmlm_core.errors import RunError
from mmlm_core.files import append_line
from mmlm_core.runs import RunFolder
from mmlm_core.samples import is_drawn, picture_of, said
from mmlm_core.settings import TrackerOptions
from mmlm_core.types import Example

__all__ = ["MetricsFile", "TensorBoard", "Tracker", "Trackers", "Wandb", "make_trackers", "wandb_mode"]

Rows = Sequence[tuple[Example, Mapping[str, Any]]]

PLACES = ("WANDB_DATA_DIR", "WANDB_CACHE_DIR")
"""Variables that say where wandb keeps pictures until they are sent, and its logs; by default in the user's home."""

_log = logging.getLogger(__name__)


class Tracker(ABC):
    """Somewhere that figures go."""

    @abstractmethod
    def log(self, split: str, step: int, epoch: int, figures: Mapping[str, float]) -> None:
        """Take figures of a split after some updates."""

    def log_samples(self, step: int, rows: Rows) -> None:
        """Take rows with their predictions; by default nothing is done with them."""
        del step, rows

    def close(self, summary: Mapping[str, float]) -> None:
        """End, with the figures of the whole run."""
        del summary


class MetricsFile(Tracker):
    """The run's `metrics.jsonl`, one line at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def log(self, split: str, step: int, epoch: int, figures: Mapping[str, float]) -> None:
        """See `Tracker.log`."""
        append_line(self.path, {"split": split, "step": step, "epoch": epoch, **figures})

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def cut(self, size: int) -> None:
        """Drop what was written after a size: a resumed training writes it anew.

        Raises:
            RunError: There is less than that.
        """
        if self.size < size:
            raise RunError(f"`{self.path}` has {self.size:,} bytes, and the checkpoint tells of {size:,}: figures are "
                           "missing. Put the file back, or train anew under another name.")  # fmt: skip
        if self.size > size:
            os.truncate(self.path, size)


class Wandb(Tracker):
    """wandb, online or offline, with its files in the run folder."""

    def __init__(self, folder: RunFolder, options: TrackerOptions, config: Mapping[str, Any], mode: str) -> None:
        import wandb

        self._wandb = wandb
        self._placed = [name for name in PLACES if name not in os.environ]
        os.environ.update(dict.fromkeys(self._placed, str(folder.path.resolve() / "wandb")))
        settings = wandb.Settings(silent=True, console="off")
        self._run = wandb.init(project=options.project, name=folder.path.name, dir=str(folder.path), mode=mode,  # type: ignore[arg-type]
                               id=_identity(folder), resume="allow" if mode == "online" else None,
                               config=dict(config), settings=settings, reinit="create_new")  # fmt: skip
        self._run.define_metric("*", step_metric="trainer/step")
        self._samples = options.samples

    def log(self, split: str, step: int, epoch: int, figures: Mapping[str, float]) -> None:
        """See `Tracker.log`."""
        self._run.log({"trainer/step": step, "epoch": epoch, **{f"{split}/{k}": v for k, v in figures.items()}})

    def log_samples(self, step: int, rows: Rows) -> None:
        """See `Tracker.log_samples`."""
        modalities = sorted({modality for example, _ in rows for modality in example.inputs})
        table = self._wandb.Table(columns=["key", *modalities, "reference", "prediction"])
        for example, prediction in rows[: self._samples]:
            shown = [self._cell(modality, example.inputs.get(modality, ())) for modality in modalities]
            answers = [self._answer(value) for value in (example.target, prediction.get("prediction"))]
            table.add_data(example.key, *shown, *answers)
        self._run.log({"trainer/step": step, "samples": table})

    def close(self, summary: Mapping[str, float]) -> None:
        """See `Tracker.close`."""
        self._run.summary.update(dict(summary))
        self._run.finish()
        for name in self._placed:
            os.environ.pop(name, None)

    def _answer(self, value: Any) -> Any:
        return self._wandb.Image(picture_of(value)) if is_drawn(value) else said(value)

    def _cell(self, modality: str, items: Sequence[Any]) -> Any:
        picture = picture_of(items[0]) if len(items) == 1 and modality != "text" else None
        return self._wandb.Image(picture) if picture is not None else said(list(items))[:2000]


class TensorBoard(Tracker):
    """TensorBoard's event files, in the run folder."""

    def __init__(self, folder: RunFolder) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder.path / "tensorboard"))

    def log(self, split: str, step: int, epoch: int, figures: Mapping[str, float]) -> None:
        """See `Tracker.log`."""
        del epoch
        for name, value in figures.items():
            self._writer.add_scalar(f"{split}/{name}", value, step)

    def close(self, summary: Mapping[str, float]) -> None:
        """See `Tracker.close`."""
        del summary
        self._writer.close()


class Trackers(Tracker):
    """All trackers of a run. One that fails is set aside with a warning; the training goes on.

    Args:
        file: The run's own file, which must not fail.
        others: What else there is.
    """

    def __init__(self, file: MetricsFile, others: Sequence[Tracker] = ()) -> None:
        self.file = file
        self._others = list(others)

    def log(self, split: str, step: int, epoch: int, figures: Mapping[str, float]) -> None:
        """See `Tracker.log`."""
        self.file.log(split, step, epoch, figures)
        self._each(lambda tracker: tracker.log(split, step, epoch, figures))

    def log_samples(self, step: int, rows: Rows) -> None:
        """See `Tracker.log_samples`."""
        self._each(lambda tracker: tracker.log_samples(step, rows))

    def close(self, summary: Mapping[str, float]) -> None:
        """See `Tracker.close`."""
        self._each(lambda tracker: tracker.close(summary))

    def _each(self, act: Callable[[Tracker], None]) -> None:
        for tracker in list(self._others):
            try:
                act(tracker)
            except Exception as error:  # whatever a tracking service does, the training is worth more
                self._others.remove(tracker)
                _set_aside(type(tracker).__name__, error)


def make_trackers(
    folder: RunFolder, options: TrackerOptions, config: Mapping[str, Any], first: bool = True
) -> Trackers:
    """Return the trackers that the options ask for.

    Args:
        folder: The run.
        options: Which trackers.
        config: The composition, for the trackers to show.
        first: Whether this is the first rank, the only one that tracks.
    """
    makers: dict[str, Callable[[], Tracker]] = {}
    mode = wandb_mode(options.wandb) if first else "off"
    if mode != "off":
        makers["wandb"] = lambda: Wandb(folder, options, config, mode)
    if options.tensorboard and first:
        makers["TensorBoard"] = lambda: TensorBoard(folder)
    others = []
    for name, make in makers.items():
        try:
            others.append(make())
        except Exception as error:  # see Trackers
            _set_aside(name, error)
    return Trackers(MetricsFile(folder.metrics), others)


def wandb_mode(choice: str) -> str:
    """Return `online`, `offline` or `off`: `auto` is online only where wandb has an account to write to."""
    if choice != "auto":
        return choice
    asked = os.environ.get("WANDB_MODE", "")
    if asked in ("disabled", "dryrun"):
        return {"disabled": "off", "dryrun": "offline"}[asked]
    if asked in ("online", "offline"):
        return asked
    return "online" if machine.has_wandb_account() else "offline"


def _identity(folder: RunFolder) -> str:
    """Return wandb's id of the run: the same for a resumed run."""
    import hashlib

    return hashlib.sha1(str(folder.path.resolve()).encode(), usedforsecurity=False).hexdigest()[:12]


def _set_aside(name: str, error: Exception) -> None:
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    _log.warning("%s is set aside, and the training goes on without it: %s", name, reason)
