"""What a training prints before it begins and after it has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mmlm_core.boxes import Box, short, told_rows
from mmlm_core.samples import is_drawn, said

__all__ = ["make_console", "print_end", "print_start"]

MOST = 100
"""Columns at most."""


def make_console() -> Console:
    """Return a console of at most 100 columns; plain, and of 100, where the output is no terminal."""
    console = Console(highlight=False)
    console.width = min(console.width, MOST) if console.is_terminal else MOST
    return console


def print_start(
    console: Console, boxes: Sequence[Box], parameters: int, rows: Mapping[str, int | None], facts: str
) -> None:
    """Print the composed model as a tree, and what it is trained on.

    Args:
        console: Where.
        boxes: The model's.
        parameters: Of the whole model.
        rows: Rows of each split; None where it is streamed and does not say.
        facts: A line about the run: where its folder is, how it computes.
    """
    cells = [(f"├─ {box.slot}", box.choice, box.size, short(box.parameters) if box.parameters else "", box.giver)
             for box in boxes]  # fmt: skip
    cells[-1] = (cells[-1][0].replace("├", "└"), *cells[-1][1:])
    taken = sum(max(len(row[column]) for row in cells) + 2 for column in range(4))
    table = Table.grid(padding=(0, 2))
    for style, justify in (("", "left"), ("bold", "left"), ("", "left"), ("", "right"), ("dim", "left")):
        table.add_column(style=style, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    room = max(0, console.width - taken)
    for *row, giver in cells:  # what is too long for the terminal is who gives a part, and nothing else
        table.add_row(*row, giver if len(giver) <= room else giver.split()[0][:room])
    console.print(Text(f"a model of {short(parameters)} parameters", style="bold"))
    console.print(table)
    console.print(f"rows: {told_rows(rows)}")
    console.print(Text(facts, style="dim"), soft_wrap=True)
    console.print()


def print_end(
    console: Console,
    metrics: Mapping[str, float],
    controls: Mapping[str, Mapping[str, float]],
    split: str,
    samples: Sequence[Mapping[str, Any]],
    report: Path,
) -> None:
    """Print the metrics beside the controls, a few predictions, and where the report is.

    Args:
        console: Where.
        metrics: Of the evaluated split.
        controls: The same of each control.
        split: The split.
        samples: Rows with predictions, as `mmlm_core.samples.sample` makes them.
        report: The page.
    """
    table = Table(title=f"on `{split}`", title_justify="left", box=None, padding=(0, 2, 0, 0), title_style="bold")
    table.add_column("")
    for name in ("the model", *controls):
        table.add_column(name, justify="right")
    for name, value in metrics.items():
        others = [figures.get(name) for figures in controls.values()]
        table.add_row(name, figure(value), *("" if other is None else figure(other) for other in others))
    console.print()
    console.print(table)
    written = [row for row in samples if not is_drawn(row["prediction"])]  # the report has the others
    if written:
        shown = Table(box=None, padding=(0, 2, 0, 0), title="samples", title_justify="left", title_style="bold")
        for name in ("", "reference", "prediction"):
            shown.add_column(name, overflow="ellipsis", no_wrap=True, max_width=(console.width - 6) // 2)
        for row in written:
            mark = "=" if row["right"] else ""
            shown.add_row(mark, Text(_line(row["reference"])), Text(_line(row["prediction"])))
        console.print(shown)
    console.print(f"\nreport: {report}", soft_wrap=True)


def _line(value: Any) -> str:
    return " / ".join(filter(None, said(value).splitlines()))


def figure(value: float | None) -> str:
    """Return a figure as a person reads it: three decimals, or none where it is large; None is no number."""
    if value is None:
        return "no number"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}"
