"""What a training and an evaluation print at their end: the metrics beside the controls, some rows, the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mmlm_core.files import read_json
from mmlm_core.runs import RunFolder
from mmlm_core.samples import is_drawn, said

__all__ = ["figure", "make_console", "print_closing", "told_range"]

MOST = 100
"""Columns at most."""

SHOWN = 6
"""Rows that are printed."""

CONTROLS = "Beside it, controls that have not looked: one answer for all; inputs of other rows."

LONGEST = 400
"""Characters of a text at most, before it is cut to its column."""


def make_console() -> Console:
    """Return a console of at most 100 columns; plain, and of 100, where the output is no terminal."""
    console = Console(highlight=False)
    console.width = min(console.width, MOST) if console.is_terminal else MOST
    return console


def print_closing(console: Console, folder: RunFolder, split: str) -> None:
    """Print what an evaluation has written: metrics beside controls, of groups too, a few rows, where the report is.

    Args:
        console: Where.
        folder: Where the evaluation was written.
        split: What was evaluated.
    """
    told, rows = read_json(folder.evaluation(split)), read_json(folder.samples(split))["rows"][:SHOWN]
    controls: Mapping[str, Mapping[str, float]] = told["controls"]
    skipped = f", {len(told['skipped']):,} more could not be used" if told.get("skipped") else ""
    console.print()
    console.print(Text(f"on `{split}`, {told['rows']:,} rows{skipped}", style="bold"))
    console.print(_table({"the model": told["metrics"], **controls}, told.get("ranges", {})))
    if controls:
        console.print(Text(CONTROLS, "dim"))
    if told.get("cut"):
        console.print(told["cut"], soft_wrap=True)
    if groups := told.get("groups"):
        console.print(Text("groups", style="bold"))
        console.print(_table(groups, {}))
    written = [row for row in rows if not is_drawn(row["prediction"])]  # the report has the others
    if written:
        console.print(Text("samples", style="bold"))
        console.print(_samples(written, console.width))
    console.print(f"\nreport: {folder.report}", soft_wrap=True)


def figure(value: float | None, missing: str = "no number") -> str:
    """Return a figure as a person reads it: three decimals, or none where it is large; None is said by `missing`."""
    if value is None:
        return missing
    return f"{value:,.0f}" if abs(value) >= 1000 or isinstance(value, int) else f"{value:.3f}"


def told_range(ends: Sequence[float | None]) -> str:
    """Return the range of a metric as a person reads it.

    Args:
        ends: The least and the greatest value; None where there is none. Empty: the range is not known.

    Example:
        >>> [told_range(ends) for ends in ([0.0, 100.0], [1.0, None], [None, 0.0], [])]
        ['0 to 100', 'from 1', 'up to 0', '']
    """
    low, high = [None if end is None else f"{end:g}" for end in ends] or [None, None]
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"from {low}" if low is not None else f"up to {high}" if high is not None else ""


def _table(columns: Mapping[str, Mapping[str, float]], ranges: Mapping[str, Sequence[float | None]]) -> Table:
    """Return metrics as rows, each column a model or a group; then their ranges, where one is known."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    if ranges:
        table.add_column("range", style="dim")
    for name in dict.fromkeys(name for figures in columns.values() for name in figures):
        cells = [figure(figures[name]) if name in figures else "" for figures in columns.values()]
        table.add_row(name, *cells, *([told_range(ranges.get(name, []))] if ranges else []))
    return table


def _samples(rows: Sequence[Mapping[str, Any]], width: int) -> Table:
    """Return rows beside their predictions; their texts too, where they have any, in the room that is left."""
    columns = {"reference": [_line(row["reference"]) for row in rows],
               "prediction": [_line(row["prediction"]) for row in rows]}  # fmt: skip
    texts = [_line(_given(row)) for row in rows]
    share = (width - 8) // (3 if any(texts) else 2)
    widths = {name: min(share, max(map(cell_len, [name, *cells]))) for name, cells in columns.items()}
    if any(texts):
        columns, widths = {"input": texts, **columns}, {"input": width - 8 - sum(widths.values()), **widths}
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    for name in columns:
        table.add_column(name, overflow="ellipsis", no_wrap=True, max_width=widths[name])
    for row, cells in zip(rows, zip(*columns.values(), strict=True), strict=True):
        table.add_row("=" if row["right"] else "", *map(Text, cells))
    return table


def _given(row: Mapping[str, Any]) -> list[str]:
    """Return the texts of a row: its inputs that are texts, and what a generation began with."""
    texts = [shown["value"] for shown in row["inputs"] if shown["modality"] == "text" and shown["kind"] == "text"]
    return [*texts, *([said(row["prompt"])] if row.get("prompt") else [])]


def _line(value: Any) -> str:
    return " / ".join(line.strip() for line in said(value).splitlines() if line.strip())[:LONGEST]
