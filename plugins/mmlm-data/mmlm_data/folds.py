"""Summarises the runs of a cross-validation: `python -m mmlm_data.folds runs/sweep-...`."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmlm_core.errors import MmlmError, RunError

__all__ = ["read_folds", "summary"]


def read_folds(folder: Path) -> dict[str, dict[str, float]]:
    """Return the metrics of each run of a sweep, by the run's name: those of its test, which is its fold.

    Args:
        folder: Of the sweep; `mmlm train --multirun` names it.

    Raises:
        RunError: There is no run with metrics in it, or a run's cannot be read.
    """
    found = {}
    for file in sorted(folder.glob("*/metrics_test.json"), key=lambda file: (len(file.parent.name), file.parent.name)):
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            metrics = content["metrics"]
            found[file.parent.name] = {name: float(value) for name, value in metrics.items() if value is not None}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"`{file}` cannot be read: {error}.") from error
    if not found:
        raise RunError(f"`{folder}` has no runs that were tested: name the folder of a sweep, as `runs/sweep-...`.")
    return found


def summary(folds: Mapping[str, Mapping[str, float]]) -> str:
    """Return a table: each metric of each fold, and over the folds their mean and standard deviation.

    Example:
        >>> print(summary({"0": {"accuracy": 0.5}, "1": {"accuracy": 0.7}}))
        metric     0      1      mean   deviation
        accuracy   0.500  0.700  0.600  0.141
    """
    names = [name for name in next(iter(folds.values())) if all(name in figures for figures in folds.values())]
    rows = [["metric", *folds, "mean", "deviation"]]
    for name in names:
        values = [figures[name] for figures in folds.values()]
        deviation = statistics.stdev(values) if len(values) > 1 else 0.0
        rows.append([name, *(f"{value:.3f}" for value in [*values, statistics.fmean(values), deviation])])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[0] += 1
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                     for row in rows)  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """Print the summary of a sweep's folder; return the exit status."""
    if len(argv) != 1:
        sys.stderr.write("usage: python -m mmlm_data.folds SWEEP\n")
        return 2
    try:
        sys.stdout.write(f"{summary(read_folds(Path(argv[0])))}\n")
    except MmlmError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
