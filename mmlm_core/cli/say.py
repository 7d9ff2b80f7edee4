"""What the commands write: plain text, errors, and tables, each as wide as the terminal."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import TextIO

__all__ = ["bold", "definitions", "error", "out", "table", "width", "wrapped"]


def out(text: str = "") -> None:
    """Write a line to the standard output."""
    sys.stdout.write(f"{text}\n")


def error(text: str) -> None:
    """Write an error to the standard error, wrapped where that is a terminal."""
    told = f"{bold('error:', sys.stderr)} {text}"
    sys.stderr.write((wrapped(told) if sys.stderr.isatty() else told) + "\n")


def wrapped(text: str, indent: str = "") -> str:
    """Return the text wrapped to the terminal, each of its lines on its own; items of lists hang."""
    lines = []
    for line in text.split("\n"):
        lead = line[: len(line) - len(line.lstrip(" -"))]
        lines += textwrap.wrap(
            line.lstrip(" -"), width(), initial_indent=indent + lead, subsequent_indent=indent + " " * len(lead),
            break_long_words=False, break_on_hyphens=False,
        ) or [""]  # fmt: skip
    return "\n".join(lines)


def width() -> int:
    """Return the columns of the terminal, 80 where there is none, and at most 120."""
    return min(shutil.get_terminal_size((80, 24)).columns, 120)


def bold(text: str, stream: TextIO | None = None) -> str:
    """Return the text in bold where the stream is a terminal that takes colours."""
    stream = stream or sys.stdout
    plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb" or not stream.isatty()
    return text if plain else f"\033[1m{text}\033[0m"


def definitions(pairs: Iterable[tuple[str, str]], indent: str = "  ", column: int = 26) -> str:
    """Return terms with their explanations beside them, wrapped; a long term gets a line of its own."""
    lines = []
    for term, explanation in pairs:
        room = max(width() - column, 30)
        told = textwrap.wrap(explanation, room, break_long_words=False, break_on_hyphens=False) or [""]
        head = f"{indent}{term}"
        if len(head) > column - 2:
            lines.append(head)
        else:
            lines.append(f"{head:<{column}}{told.pop(0)}".rstrip())
        lines += [" " * column + line for line in told]
    return "\n".join(lines)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Write a table: with rules and colours on a terminal, as plain aligned text in a pipe.

    The last column is the one that wraps.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=width(), highlight=False)
    grid = Table(box=SIMPLE_HEAD if console.is_terminal else None, title=title or None, title_justify="left",
                 pad_edge=False, header_style="bold")  # fmt: skip
    for index, name in enumerate(columns):
        grid.add_column(Text(name), no_wrap=index == 0, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    with console.capture() as captured:
        console.print(grid)
    out("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")))
