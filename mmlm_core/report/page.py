"""Puts the page together, from the files of the run folder alone."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from mmlm_core.boxes import short, told_rows
from mmlm_core.files import read_json, read_lines, read_yaml, write_text
from mmlm_core.report.closing import figure, told_range
from mmlm_core.report.curves import Series, chart
from mmlm_core.report.gallery import gallery
from mmlm_core.runs import RunFolder
from mmlm_core.samples import is_drawn

__all__ = ["write_report"]

LARGE = 3
"""Metrics that stand large at the top: the head's first ones, which tell most."""

DRAWN = 3
"""Figures of validation that are drawn beside the loss: that by which the weights were chosen, and the first ones."""


def write_report(folder: RunFolder, evaluated: RunFolder | None = None) -> Path:
    """Write `report.html` from what the run folder holds so far, and return its path.

    Args:
        folder: The run.
        evaluated: Where its evaluation is, and where the report goes; None: in the run folder itself.
    """
    evaluated = evaluated or folder
    environment = read_json(folder.environment)
    summary = read_json(folder.summary) if folder.summary.exists() else {}
    lines = read_lines(folder.metrics)
    splits = sorted(path.stem.removeprefix("metrics_") for path in evaluated.path.glob("metrics_*.json"))
    overrides = read_yaml(folder.overrides) if folder.overrides.exists() else []
    body = [
        _header(folder, environment, summary),
        *(_measured(evaluated, split) for split in splits),
        "" if splits else _samples(_read(evaluated.samples("validation"))),
        _curves(lines, environment.get("monitor", "")),
        _model(environment),
        _repeat(environment, summary, overrides or []),
    ]
    style = files("mmlm_core.report").joinpath("style.css").read_text(encoding="utf-8")
    name = escape(folder.path.resolve().name)
    write_text(
        evaluated.report,
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name} · mmlm</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        f"style-src 'unsafe-inline'\"><style>{style}</style></head>\n"
        f"<body><main>{''.join(filter(None, body))}</main></body></html>\n",
    )
    return evaluated.report


def _header(folder: RunFolder, environment: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    chosen = {box["slot"]: box["choice"] for box in environment.get("boxes", [])}
    encoders = [f"{slot.partition('/')[2]} by {name}" for slot, name in chosen.items() if slot.startswith("encoder/")]
    words = [
        *([" + ".join(encoders)] if encoders else []),
        *(chosen[s] for s in ("fusion", "backbone", "head") if s in chosen),
    ]
    path = '<span class="arrow">→</span>'.join(f"<span>{escape(word)}</span>" for word in words)
    facts = []
    if "parameters" in environment:
        facts.append(f"{short(environment['parameters'])} parameters")
    if summary:
        facts.append(f"{summary['steps']:,} steps in {_minutes(summary['seconds'])}")
    facts.append(f"{environment.get('machine', {}).get('cores', '?')} cores, {environment.get('precision', 'fp32')}")
    facts.append(str(environment.get("started", ""))[:10])
    told = " · ".join(escape(fact) for fact in facts if fact)
    name = escape(folder.path.resolve().name)
    return f'<header><h1>{name}</h1><p class="path">{path}</p><p class="facts">{told}</p></header>'


def _measured(evaluated: RunFolder, split: str) -> str:
    """Return what was measured on a split, and some of its rows."""
    evaluation = _read(evaluated.evaluation(split))
    return _evaluation(evaluation) + _groups(evaluation) + _samples(_read(evaluated.samples(split)))


def _read(path: Path) -> dict[str, Any]:
    return read_json(path) if path.exists() else {}


def _evaluation(evaluation: Mapping[str, Any]) -> str:
    metrics: dict[str, Any] = evaluation.get("metrics", {})
    controls: dict[str, Any] = evaluation.get("controls", {})
    if not metrics:
        return ""
    ranges = {name: told_range(ends) for name, ends in evaluation.get("ranges", {}).items()}
    heads = "".join(f"<th>{escape(name)}</th>" for name in ("the model", *controls, *(["range"] if ranges else [])))
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td><b>{_figure(value)}</b></td>"
        + "".join(f"<td>{_figure(control.get(name))}</td>" for control in controls.values())
        + (f'<td class="range">{ranges.get(name, "")}</td>' if ranges else "")
        + "</tr>"
        for name, value in metrics.items()
    )
    large = ([name for name in metrics if name != "loss"] or list(metrics))[:LARGE]
    tiles = "".join(f'<div class="tile"><span class="value">{_figure(metrics[name])}</span>'
                    f'<span class="name">{escape(name.replace("_", " "))}</span>'
                    f'<span class="range">{ranges.get(name, "")}</span></div>' for name in large)  # fmt: skip
    skipped = len(evaluation.get("skipped", {}))
    split = escape(str(evaluation.get("split")))
    note = f"{evaluation.get('rows', 0):,} rows of <code>{split}</code>"
    note += f", {skipped:,} more could not be used" if skipped else ""
    if controls:
        note += ". The controls have not looked: one gives the same answer to all, others saw the inputs of other rows"
    table = f'<table class="metrics"><tr><th></th>{heads}</tr>{rows}</table>'
    return (f'<section><h2>Result on {split}</h2><div class="tiles">{tiles}</div><div class="scroll">{table}</div>'
            f'<p class="note">{note}.</p></section>')  # fmt: skip


def _groups(evaluation: Mapping[str, Any]) -> str:
    """Return the metrics of each group as a table, below those of all rows."""
    groups: dict[str, dict[str, Any]] = evaluation.get("groups", {})
    if not groups:
        return ""
    names = list(dict.fromkeys(name for figures in groups.values() for name in figures))
    heads = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in names)
    told = {"all": {"rows": evaluation.get("rows"), **evaluation.get("metrics", {})}, **groups}
    rows = "".join(
        f"<tr><th>{escape(group)}</th>{''.join(f'<td>{_figure(figures.get(name))}</td>' for name in names)}</tr>"
        for group, figures in told.items()
    )
    title = f"Groups of {escape(str(evaluation.get('split')))}"
    return (f'<section><h2>{title}</h2><div class="scroll"><table class="metrics"><tr><th></th>{heads}</tr>{rows}'
            "</table></div></section>")  # fmt: skip


def _samples(samples: Mapping[str, Any]) -> str:
    rows: Sequence[Mapping[str, Any]] = samples.get("rows", [])
    if not rows:
        return ""
    split = escape(str(samples.get("split")))
    right = sum(bool(row["right"]) for row in rows)
    free = any(row.get("prompt") for row in rows)
    count = (
        ""
        if free or all(row["reference"] is None or is_drawn(row["prediction"]) for row in rows)
        else f" {right} of them are exactly as the reference."
    )
    note = f"{len(rows)} rows of <code>{split}</code>, drawn at random and not chosen.{count}"
    return f'<section><h2>Samples of {split}</h2>{gallery(rows)}<p class="note">{note}</p></section>'


def _curves(lines: Sequence[Mapping[str, Any]], monitor: str) -> str:
    """Return the figures of a training as charts.

    Args:
        lines: What was measured on the way.
        monitor: The figure by which the weights were chosen, which is drawn first; empty in runs that do not say.
    """
    train = [line for line in lines if line.get("split") == "train"]
    validation = [line for line in lines if line.get("split") == "validation"]

    def series(name: str, of: Sequence[Mapping[str, Any]], figure: str, dots: bool = False) -> Series:
        return Series(name, [(line["step"], line[figure]) for line in of if line.get(figure) is not None], dots)

    measured = dict.fromkeys(
        name for line in validation for name in line if name not in ("split", "step", "epoch", "loss")
    )
    shown = sorted(measured, key=lambda name: name != monitor)[:DRAWN]
    dots = len(validation) <= 40
    charts = [
        chart("loss", [series("training", train, "loss"), series("validation", validation, "loss", dots)]),
        *(chart(f"validation {name.replace('_', ' ')}", [series(name, validation, name, dots)]) for name in shown),
        chart("learning rate", [series("lr", train, "lr")]),
        chart("samples per second", [series("samples/s", train, "samples_per_second")]),
    ]
    drawn = "".join(charts)
    return f'<section><h2>Training</h2><div class="charts">{drawn}</div></section>' if drawn else ""


def _model(environment: Mapping[str, Any]) -> str:
    boxes = environment.get("boxes", [])
    rows = environment.get("rows", {})
    if not boxes:
        return ""
    body = ""
    for box in boxes:
        size = told_rows(rows) if box["slot"] == "data" else box["size"]
        count = short(box["parameters"]) if box["parameters"] else ""
        body += (f"<tr><th>{escape(box['slot'])}</th><td><b>{escape(box['choice'])}</b>"
                 f'<span class="options">{escape(box["changed"])}</span></td><td>{escape(size)}</td>'
                 f"<td>{count}</td><td>{escape(box['giver'])}</td></tr>")  # fmt: skip
    head = "<tr><th></th><th>choice</th><th>size</th><th>parameters</th><th>from</th></tr>"
    return f'<section><h2>Composition</h2><div class="scroll"><table class="boxes">{head}{body}</table></div></section>'


def _repeat(environment: Mapping[str, Any], summary: Mapping[str, Any], overrides: Sequence[str]) -> str:
    asked = [str(override) for override in overrides if not str(override).startswith("run.name=")]  # it is taken
    command = " ".join(["mmlm train", *map(shlex.quote, asked)])
    machine, threads = environment.get("machine", {}), environment.get("threads", "?")
    versions = [
        f"mmlm {environment.get('mmlm')}",
        f"torch {environment.get('torch')}",
        f"Python {environment.get('python')}",
    ]
    ended = "not ended yet"
    if summary:
        ended = f"{_minutes(summary['seconds'])}, {summary['epochs']} epochs, {summary['steps']:,} steps; "
        ended += f"the weights are those of step {summary['best_step']:,}"
    devices = [machine.get("cpu"), f"{machine.get('cores')} cores", *machine.get("gpus", [])]
    facts = {
        "machine": ", ".join(filter(None, devices)),
        "arithmetic": f"{environment.get('precision', 'fp32')}, {threads} thread{'' if threads == 1 else 's'}",
        "versions": ", ".join(versions),
        "plugins": ", ".join(f"{p['distribution']} {p['version']}".strip() for p in environment.get("plugins", [])),
        "seed": str(environment.get("seed")),
        "git commit": str(environment.get("git") or ""),
        "started": str(environment.get("started", "")),
        "training": ended,
    }
    rows = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in facts.items() if value)
    table = f'<div class="scroll"><table class="facts">{rows}</table></div>'
    return f"<section><h2>Repeat it</h2><pre><code>{escape(command)}</code></pre>{table}</section>"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} minutes" if seconds >= 60 else f"{seconds:.0f} s"


def _figure(value: float | None) -> str:
    return figure(value, "–")
