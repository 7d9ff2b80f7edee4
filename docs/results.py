"""Measures the gallery: trains each row of results.yaml, and writes what it reached into results.md (`make gallery`).

python docs/results.py [NAME ...]      # some rows; none: all of them

A row takes up to 6 minutes on 2 CPU cores. Runs lie in `runs/gallery`; a row whose run has ended is not trained again,
so that a gallery that was interrupted goes on where it was. What was measured stands in results.json, of which the page
is made, and a line in the head of each recipe: rows that are measured one at a time, on any day, come together there.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "runs" / "gallery"
DATA = RUNS / "data"
FIGURES = ROOT / "docs" / "results.json"
PAGE = ROOT / "docs" / "results.md"
RECIPES = ROOT / "conf" / "experiment"
REACHED = "#   reached:"
MMLM = [sys.executable, "-m", "mmlm_core.cli.main"]
HEAD = """# Results

What the recipes of `conf/experiment` reach, each trained by its command and measured by `mmlm eval` on rows that it was
not trained on, beside two controls (the most frequent answer; the same model, shown the inputs of other rows). `make
gallery` trains them and writes this page; one seed. Rows may have been trained beside other work on the same cores:
alone they take fewer minutes, and those that train for given minutes make more steps.

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
    """Train a row, evaluate it, and keep in its run folder what its baseline and other evaluations say."""
    folder = RUNS / row["name"]
    if not (folder / "metrics_test.json").exists():
        prepare(row)
        started = ["--resume", str(folder)] if (folder / "config.yaml").exists() else words(row)
        named = [] if started[0] == "--resume" else [f"run.folder={RUNS}", f"run.name={row['name']}"]
        subprocess.run([*MMLM, "train", *started, *named, "tracker.wandb=off"], check=True, cwd=ROOT)
    if "baseline" in row:
        _keep(folder / "baseline.txt", [sys.executable, row["baseline"], str(folder)])
    for number, changes in enumerate(row.get("evaluate", ())):
        _keep(folder / f"evaluated-{number + 1}.txt", [*MMLM, "eval", str(folder), *shlex.split(changes)])


def _keep(file: Path, command: list[str]) -> None:
    """Write what a command prints into a file, unless that has been done."""
    if not file.exists():
        file.write_bytes(subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE).stdout)


def outcome(row: dict[str, Any], folder: Path, train: str) -> dict[str, Any]:
    """Return what the page tells of a run that has ended.

    Args:
        row: The row.
        folder: Of the run.
        train: The arguments of `mmlm train`, with `$DATA` and `$RUNS`.
    """
    environment, summary, result = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("environment", "summary", "metrics_test")
    )
    machine, baseline = environment["machine"], folder / "baseline.txt"
    controls = result["controls"].items()
    return {
        "train": train,
        "device": ", ".join(machine["gpus"]) or f"{machine['cores']} cores ({machine['cpu']})",
        "precision": environment["precision"],
        "parameters": environment["parameters"],
        "seconds": round(summary["seconds"], 1),
        "steps": summary["steps"],
        "rows": result["rows"],
        "metrics": {name: result["metrics"][name] for name in row["metrics"]},
        "controls": {kind: {name: of[name] for name in row["metrics"] if name in of} for kind, of in controls},
        "baseline": baseline.read_text(encoding="utf-8").rstrip() if baseline.exists() else "",
        "evaluated": {
            changes: file.read_text(encoding="utf-8").partition("\nreport: ")[0].rstrip()  # its place is this machine's
            for number, changes in enumerate(row.get("evaluate", ()))
            if (file := folder / f"evaluated-{number + 1}.txt").exists()
        },
    }


def table(listed: list[dict[str, Any]], measured: dict[str, Any]) -> str:
    """Return the table of the rows that have been measured."""
    heads = ["system", "parameters", "minutes", "steps", "test rows", "the model", "most frequent answer",
             "shuffled inputs"]  # fmt: skip
    lines = [heads, ["---"] * len(heads)]
    for row in listed:
        its = measured[row["name"]]
        controls = [
            "; ".join(f"{'' if name == kind else f'{name}: '}{_figures(values)}"
                      for name, values in its["controls"].items() if name.startswith(kind)) or "–"
            for kind in ("most frequent answer", "shuffled")
        ]  # fmt: skip
        lines.append([row["system"], f"{its['parameters']:,}", f"{its['seconds'] / 60:.1f}", f"{its['steps']:,}",
                      f"{its['rows']:,}", f"**{_figures(its['metrics'])}**", *controls])  # fmt: skip
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _figures(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in values.items()) or "–"


def section(row: dict[str, Any], its: dict[str, Any]) -> str:
    """Return what the page says of a row beside the table: how it is repeated, and its baseline."""
    data = "".join(f"{line}\n" for line in row.get("data", []))
    told = f"## {row['system']}\n\n```sh\n{data}mmlm train {its['train']}\n```\n".replace("$ROOT/", "")
    told += f"\nOn {its['device']} in {its['precision']}.\n"
    if its["baseline"]:
        told += f"\n`{row['baseline']}` on the same rows:\n\n```text\n{its['baseline']}\n```\n"
    for changes, said in its.get("evaluated", {}).items():
        told += f"\n`mmlm eval runs/{row['name']} {changes}`:\n\n```text\n{said}\n```\n"
    return told.replace("$DATA/", "").replace("$RUNS/", "runs/")


def page(listed: list[dict[str, Any]], measured: dict[str, Any]) -> str:
    """Return the page."""
    done = [row for row in listed if row["name"] in measured]
    devices = " and ".join(sorted({f"{its['device']} in {its['precision']}" for its in measured.values()}))
    missing = ", ".join(f"`{row['name']}`" for row in listed if row["name"] not in measured)
    told = f"Measured on {devices}.{f' Not measured yet: {missing}.' if missing else ''}\n\n" if done else ""
    return HEAD + told + table(done, measured) + "\n" + "\n".join(section(row, measured[row["name"]]) for row in done)


def note(listed: list[dict[str, Any]], measured: dict[str, Any]) -> None:
    """Write into the head of each recipe what the first row that is trained by it has reached.

    Args:
        listed: The rows.
        measured: Their outcomes by name.
    """
    noted = set()
    for row in listed:
        name = row["train"].split()[0].removeprefix("experiment=")
        if row["name"] not in measured or name in noted:
            continue
        noted.add(name)
        file = RECIPES / f"{name}.yaml"
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith(REACHED)]
        head = next(number for number, line in enumerate(lines) if not line.startswith("#"))
        lines.insert(head, f"{REACHED} {_figures(measured[row['name']]['metrics'])} (docs/results.md)")
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def keep(figures: Path, made: dict[str, Any]) -> dict[str, Any]:
    """Write what was measured beside what had been, and return all of it.

    Args:
        figures: The JSON file.
        made: What was measured, by the rows' names.
    """
    known: dict[str, Any] = json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else {}
    whole = known | made
    figures.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return whole


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
    ended = [row for row in listed if (RUNS / row["name"] / "metrics_test.json").exists()]
    made = {row["name"]: outcome(row, RUNS / row["name"], row["train"]) for row in ended}
    measured = keep(FIGURES, made)
    PAGE.write_text(page(listed, measured), encoding="utf-8")
    note(listed, measured)
    if failed:
        raise SystemExit("\n".join(["Not measured:", *failed]))


if __name__ == "__main__":
    main(sys.argv[1:])
