"""What a training prints before it begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mmlm_core.boxes import Box, short, told_rows

__all__ = ["print_start"]


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
