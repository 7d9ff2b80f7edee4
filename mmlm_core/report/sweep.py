"""The runs of a sweep side by side: what differs, what each reached, and over folds and seeds mean and deviation."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmlm_core.files import read_json, read_yaml, write_table, write_text
from mmlm_core.report.closing import figure
from mmlm_core.runs import RunFolder

__all__ = ["SweptRun", "comparison", "read_sweep", "write_comparison"]

REPEATS = ("data.fold", "run.seed")
"""Options whose values are as good as each other: runs that differ in nothing else are summed up."""

SHOWN = 3
"""Metrics that the table shows: the head's first ones, which tell most."""


@dataclass(frozen=True)
class SweptRun:
    """A run of a sweep.

    Attributes:
        folder: Of the run.
        overrides: What it was asked for, by path.
        split: What was evaluated; empty: nothing, since it failed or there were no rows.
        metrics: Of that split.
        minutes: Of training; None where it has not ended.
    """

    folder: Path
    overrides: Mapping[str, str]
    split: str
    metrics: Mapping[str, float]
    minutes: float | None


def read_sweep(folder: Path) -> list[SweptRun]:
    """Return the runs in a sweep's folder, in the order of their jobs.

    Raises:
        RunError: A file of a run cannot be read.
    """
    found = [RunFolder(path.parent) for path in folder.glob("*/overrides.yaml")]
    return [_read(run) for run in sorted(found, key=lambda run: (len(run.path.name), run.path.name))]


def comparison(runs: Sequence[SweptRun]) -> list[list[str]]:
    """Return the runs as a table, its heads first; below them the mean and the deviation of runs that only repeat.

    Example:
        >>> runs = [SweptRun(Path(f"x/{n}"), {"run.seed": f"{n}"}, "test", {"f1": 0.5 + n / 5}, 2.0) for n in (0, 1)]
        >>> for line in comparison(runs):
        ...     print(line)
        ['run', 'run.seed', 'f1', 'minutes']
        ['0', '0', '0.500', '2.0']
        ['1', '1', '0.700', '2.0']
        ['mean of 2', '', '0.600 ± 0.141', '2.0']
    """
    keys, names = differing(runs), _shown(runs)
    table = [["run", *keys, *names, "minutes"]]
    for run in runs:
        cells = [figure(run.metrics.get(name), "") for name in names]
        minutes = "not ended" if run.minutes is None else f"{run.minutes:.1f}"
        table.append([run.folder.name, *(run.overrides.get(key, "") for key in keys), *cells, minutes])
    for group in _repeated(runs, keys):
        same = [group[0].overrides.get(key, "") if key not in REPEATS else "" for key in keys]
        cells = [_spread([run.metrics[name] for run in group if name in run.metrics]) for name in names]
        mean = statistics.fmean(run.minutes for run in group if run.minutes is not None)
        table.append([f"mean of {len(group)}", *same, *cells, f"{mean:.1f}"])
    return table


def differing(runs: Sequence[SweptRun]) -> list[str]:
    """Return the paths whose values are not the same in every run, in the order in which they were given."""
    keys = dict.fromkeys(key for run in runs for key in run.overrides)
    return [key for key in keys if len({run.overrides.get(key) for run in runs}) > 1]


def write_comparison(folder: Path, runs: Sequence[SweptRun]) -> list[Path]:
    """Write the runs beside them: `sweep.md` as they are shown, `sweep.csv` with every metric. Return both paths."""
    heads, *rows = [[cell.replace("|", "\\|") for cell in line] for line in comparison(runs)]
    lines = [heads, ["---"] * len(heads), *rows]
    page, table = folder / "sweep.md", folder / "sweep.csv"
    write_text(page, "".join(f"| {' | '.join(line)} |\n" for line in lines))
    keys = differing(runs)
    write_table(table, ({"run": str(run.folder), **{key: run.overrides.get(key) for key in keys}, "split": run.split,
                         **run.metrics, "minutes": run.minutes} for run in runs))  # fmt: skip
    return [page, table]


def _read(run: RunFolder) -> SweptRun:
    texts = read_yaml(run.overrides) or []
    pairs = (str(text).partition("=") for text in texts)
    overrides = {key.lstrip("+"): value for key, _, value in pairs}
    seconds = read_json(run.summary).get("seconds") if run.summary.exists() else None
    split = next((name for name in ("test", "validation") if run.evaluation(name).exists()), "")
    told = read_json(run.evaluation(split))["metrics"] if split else {}
    metrics = {name: value for name, value in told.items() if value is not None}
    return SweptRun(run.path, overrides, split, metrics, None if seconds is None else seconds / 60)


def _shown(runs: Sequence[SweptRun]) -> list[str]:
    names = list(dict.fromkeys(name for run in runs for name in run.metrics))
    return ([name for name in names if name != "loss"] or names)[:SHOWN]


def _repeated(runs: Sequence[SweptRun], keys: Sequence[str]) -> Iterator[list[SweptRun]]:
    """Yield the runs that differ in nothing but what repeats, those that were measured, where they are several."""
    groups: dict[tuple[str | None, ...], list[SweptRun]] = {}
    if any(key in REPEATS for key in keys):
        for run in runs:
            if run.metrics and run.minutes is not None:
                groups.setdefault(tuple(run.overrides.get(key) for key in keys if key not in REPEATS), []).append(run)
    yield from (group for group in groups.values() if len(group) > 1)


def _spread(values: Sequence[float]) -> str:
    if len(values) < 2:
        return ""
    return f"{figure(statistics.fmean(values))} ± {figure(statistics.stdev(values))}"
