"""Measures the gallery: trains each row of results.yaml, and writes what it reached into results.md (`make gallery`).

python docs/results.py [NAME ...]      # some rows; none: all of them

A row takes up to 6 minutes on 2 CPU cores. Runs lie in `runs/gallery`; a row whose run has ended is not trained again,
so that a gallery that was interrupted goes on where it was.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "runs" / "gallery"
DATA = RUNS / "data"
PAGE = ROOT / "docs" / "results.md"
MMLM = Path(sys.executable).with_name("mmlm")
HEAD = """# Results

What the recipes of `conf/experiment` reach, each trained by its command and measured by `mmlm eval` on rows that it was
not trained on, beside two controls (the most frequent answer; the same model, shown the inputs of other rows). `make
gallery` trains them and writes this page; one seed.

"""


def rows() -> list[dict[str, Any]]:
    """Return the rows that are measured."""
    listed: list[dict[str, Any]] = yaml.safe_load((ROOT / "docs" / "results.yaml").read_text(encoding="utf-8"))
    return listed


def prepare(row: dict[str, Any]) -> None:
    """Make a row's data, unless each of its lines has succeeded before."""
    DATA.mkdir(parents=True, exist_ok=True)
    done = DATA / ".done"
    lines = done.read_text(encoding="utf-8").splitlines() if done.exists() else []
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for line in row.get("data", []):
        if line not in lines:
            subprocess.run(line, shell=True, check=True, cwd=DATA, env={**os.environ, "ROOT": str(ROOT), "PATH": path})
            with done.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")


def words(row: dict[str, Any]) -> list[str]:
    """Return the arguments of `mmlm train`, with the places of this machine."""
    return shlex.split(row["train"].replace("$DATA", str(DATA)).replace("$RUNS", str(RUNS)))


def measure(row: dict[str, Any]) -> None:
    """Train a row, evaluate it, and keep what its baseline says in its run folder."""
    folder = RUNS / row["name"]
    if not (folder / "metrics_test.json").exists():
        prepare(row)
        started = ["--resume", str(folder)] if (folder / "config.yaml").exists() else words(row)
        named = [] if started[0] == "--resume" else [f"run.folder={RUNS}", f"run.name={row['name']}"]
        subprocess.run([MMLM, "train", *started, *named, "tracker.wandb=off"], check=True, cwd=ROOT)
    baseline = folder / "baseline.txt"
    if "baseline" in row and not baseline.exists():
        said = subprocess.run(
            [sys.executable, row["baseline"], str(folder)], check=True, cwd=ROOT, stdout=subprocess.PIPE
        )
        baseline.write_bytes(said.stdout)


def figures(row: dict[str, Any], values: dict[str, float]) -> str:
    """Return the row's metrics out of some values, those that are there."""
    return ", ".join(f"{name} {values[name]:.3f}" for name in row["metrics"] if name in values) or "–"


def section(row: dict[str, Any]) -> str:
    """Return what the page says of a row beside the table: how it is repeated, and its baseline."""
    data = "".join(f"{line}\n" for line in row.get("data", []))
    told = f"## {row['system']}\n\n```sh\n{data}mmlm train {row['train']}\n```\n".replace("$ROOT/", "")
    baseline = RUNS / row["name"] / "baseline.txt"
    if baseline.exists():
        said = baseline.read_text(encoding="utf-8").rstrip()
        told += f"\n`{row['baseline']}` on the same rows:\n\n```text\n{said}\n```\n"
    return told.replace("$DATA/", "").replace("$RUNS/", "runs/")


def page(measured: list[dict[str, Any]]) -> str:
    """Return the page."""
    table = ["| system | parameters | minutes | test rows | the model | most frequent answer | shuffled inputs |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    for row in measured:
        folder = RUNS / row["name"]
        result = json.loads((folder / "metrics_test.json").read_text(encoding="utf-8"))
        environment = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        controls = [
            "; ".join(f"{'' if name == kind else f'{name}: '}{figures(row, values)}"
                      for name, values in result["controls"].items() if name.startswith(kind)) or "–"
            for kind in ("most frequent answer", "shuffled")
        ]  # fmt: skip
        cells = [
            row["system"],
            f"{environment['parameters']:,}",
            f"{summary['seconds'] / 60:.1f}",
            f"{result['rows']:,}",
            f"**{figures(row, result['metrics'])}**",
            *controls,
        ]
        table.append(f"| {' | '.join(cells)} |")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = f"Measured on {cores} cores ({platform.machine()}), Python {platform.python_version()}.\n"
    return HEAD + machine + "\n" + "\n".join(table) + "\n\n" + "\n".join(map(section, measured))


def main(names: list[str]) -> None:
    """Measure the rows that are named, or all, and write the page of all that have been measured."""
    listed = rows()
    unknown = sorted(set(names) - {row["name"] for row in listed})
    if unknown:
        raise SystemExit(
            f"`{unknown[0]}` is no row of the gallery. Choices: {', '.join(row['name'] for row in listed)}."
        )
    failed = []
    for row in listed:
        if not names or row["name"] in names:
            sys.stdout.write(f"\n== {row['name']}: {row['system']}\n")
            sys.stdout.flush()
            try:
                measure(row)
            except (subprocess.CalledProcessError, FileNotFoundError) as error:
                failed.append(f"{row['name']}: {error}")
    PAGE.write_text(
        page([row for row in listed if (RUNS / row["name"] / "metrics_test.json").exists()]), encoding="utf-8"
    )
    if failed:
        raise SystemExit("\n".join(["Not measured:", *failed]))


if __name__ == "__main__":
    main(sys.argv[1:])
