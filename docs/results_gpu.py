"""Measures the gallery on a GPU: trains the rows of results-gpu.yaml, several at a time, and writes results-gpu.md.

python docs/results_gpu.py [NAME ...] [--at-once 14] [--seconds 600]     # some rows; none: all of them
python docs/results_gpu.py --page                                        # only the page, of results-gpu.json

What is measured stands in results-gpu.json, from which the page is made; runs lie in `runs/gallery-gpu`. A row whose
run has ended is not trained again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import results
import yaml

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "runs" / "gallery-gpu"
FIGURES = ROOT / "docs" / "results-gpu.json"
PAGE = ROOT / "docs" / "results-gpu.md"
SCALES = ROOT / "conf" / "scale" / "gpu"
ON_A_GPU = "trainer.accelerator=gpu trainer.devices=1 trainer.strategy=auto"
HEAD = """# Results on a GPU

Rows of [Results](results.md), trained on {devices}. Data, splits, metrics and controls are the same; models and
batches are larger. Rows may have been trained beside each other on one card, so that a row alone may get further in its
minutes. One seed.

"""
FOOT = "How the data are made is said there; `docs/results_gpu.py` trains others too.\n\n"


def rows() -> list[dict[str, Any]]:
    """Return the rows: those of the gallery that are listed."""
    gallery = {row["name"]: row for row in results.rows()}
    listed = yaml.safe_load((ROOT / "docs" / "results-gpu.yaml").read_text(encoding="utf-8"))
    return [{**gallery[row["name"]], **row} for row in listed]


def command(row: dict[str, Any]) -> str:
    """Return the arguments of `mmlm train`; what has no scale for a GPU is trained there as it is."""
    experiment = row["train"].split()[0].removeprefix("experiment=")
    return f"{row['train']} {'scale=gpu' if (SCALES / f'{experiment}.yaml').exists() else ON_A_GPU}"


def measure(row: dict[str, Any], ended: dict[str, Event], until: float) -> None:
    """Train a row and evaluate it, unless that has been done; what it prints goes into a file beside its run."""
    try:
        if "after" in row and row["after"] in ended:
            ended[row["after"]].wait(max(0.0, until - time.monotonic()))
        if (RUNS / row["name"] / "metrics_test.json").exists() or time.monotonic() >= until:
            return
        results.prepare(row)
        words = command(row).replace("$DATA", str(results.DATA)).replace("$RUNS", str(RUNS)).split()
        named = [f"run.folder={RUNS}", f"run.name={row['name']}", "tracker.wandb=off", "trainer.progress=false"]
        with (RUNS / f"{row['name']}.txt").open("w", encoding="utf-8") as said:
            subprocess.run(
                [sys.executable, "-m", "mmlm_core.cli.main", "train", *words, *named],
                cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=said, stderr=subprocess.STDOUT,
                timeout=max(1.0, until - time.monotonic()), check=True,
            )  # fmt: skip
        sys.stdout.write(f"{row['name']}: measured\n")
    except (subprocess.SubprocessError, OSError) as error:
        sys.stdout.write(f"{row['name']}: not measured: {error}\n")
    finally:
        ended[row["name"]].set()


def page(listed: list[dict[str, Any]], measured: dict[str, Any]) -> str:
    """Return the page."""
    done = [row for row in listed if row["name"] in measured]
    commands = "\n".join(
        f"**{row['system']}**\n\n```sh\nmmlm train {measured[row['name']]['train']}\n```\n" for row in done
    )
    told = commands.replace("$DATA/", "").replace("$RUNS/", "runs/")
    devices = " and ".join(sorted({f"one {its['device']} in {its['precision']}" for its in measured.values()}))
    return f"{HEAD.format(devices=devices)}{results.table(done, measured)}\n{FOOT}{told}"


def main(argv: list[str]) -> None:
    """Measure the rows that are named, or all, and write the page of all that have been measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--at-once", type=int, default=1, help="rows that are trained beside each other (default: 1)")
    parser.add_argument("--seconds", type=float, default=36000, help="after which what is not done is given up")
    parser.add_argument("--page", action="store_true", help="only write the page")
    args = parser.parse_args(argv)
    listed = rows()
    if not args.page:
        RUNS.mkdir(parents=True, exist_ok=True)
        chosen = [row for row in listed if not args.names or row["name"] in args.names]
        ended, until = {row["name"]: Event() for row in chosen}, time.monotonic() + args.seconds
        with ThreadPoolExecutor(args.at_once) as pool:
            list(pool.map(lambda row: measure(row, ended, until), chosen))
    done = [row for row in listed if (RUNS / row["name"] / "metrics_test.json").exists()]
    made = {row["name"]: results.outcome(row, RUNS / row["name"], command(row)) for row in done}
    PAGE.write_text(page(listed, results.keep(FIGURES, made)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
