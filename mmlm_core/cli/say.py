"""What the commands write: plain text, errors, and tables, each as wide as the terminal."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import TextIO

from mmlm_core.runs import is_main

__all__ = ["bad", "bold", "cut", "definitions", "error", "good", "grid", "note", "notes", "out", "table", "width",
           "wrapped"]  # fmt: skip

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def out(text: str = "") -> None:
    """Write a line to the standard output."""
    sys.stdout.write(f"{text}\n")


def error(text: str) -> None:
    """Write an error to the standard error, wrapped where that is a terminal."""
    told = f"{bold('error:', sys.stderr)} {_visible(text)}"
    sys.stderr.write((wrapped(told) if sys.stderr.isatty() else told) + "\n")


def note(text: str) -> None:
    """Write something that the user should know to the standard error, wrapped where that is a terminal."""
    told = f"{bold('note:', sys.stderr)} {_visible(text)}"
    sys.stderr.write((wrapped(told) if sys.stderr.isatty() else told) + "\n")


def notes(lines: Iterable[str]) -> None:
    """Write notes, once for all processes of a job."""
    for line in lines if is_main() else ():
        note(line)


def _visible(text: str) -> str:
    """Return the text with control characters written out: what is quoted from a file must not steer the terminal."""
    return CONTROLS.sub(lambda found: repr(found[0])[1:-1], text)


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


def cut(text: str, room: int) -> str:
    """Return the text on one line of so many columns, the end of a longer one replaced by a sign, between words."""
    return textwrap.shorten(text, max(room, 1), placeholder=" …")


def width() -> int:
    """Return the columns of the terminal, 80 where there is none, and at most 120."""
    return min(shutil.get_terminal_size((80, 24)).columns, 120)


def bold(text: str, stream: TextIO | None = None) -> str:
    """Return the text in bold where the stream is a terminal that takes colours."""
    return _styled(text, "1", stream or sys.stdout)


def good(text: str) -> str:
    """Return the text in green, for the standard output, where that takes colours."""
    return _styled(text, "32", sys.stdout)


def bad(text: str) -> str:
    """Return the text in red, for the standard output, where that takes colours."""
    return _styled(text, "31", sys.stdout)


def _styled(text: str, style: str, stream: TextIO) -> str:
    plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb" or not stream.isatty()
    return text if plain else f"\033[{style}m{text}\033[0m"


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


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table whose last column wraps. Not with rich, whose import alone costs as much as all else does here.

    Args:
        columns: The headers.
        rows: The cells of each row.
    """
    *heads, last = columns
    widths = [max(len(row[index]) for row in [columns, *rows]) for index in range(len(heads))]
    left = sum(widths) + 2 * len(widths)
    out(bold("".join(f"{head:<{size}}  " for head, size in zip(heads, widths, strict=True)) + last))
    for *cells, text in rows:
        told = textwrap.wrap(text, max(width() - left, 20), break_long_words=False, break_on_hyphens=False) or [""]
        start = "".join(f"{cell:<{size}}  " for cell, size in zip(cells, widths, strict=True))
        out(
            "\n".join(
                (first + line).rstrip() for first, line in zip([start] + [" " * left] * len(told), told, strict=False)
            )
        )


def grid(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table whose cells are whole, however wide they are."""
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    for number, cells in enumerate([columns, *rows]):
        line = "  ".join(f"{cell:<{size}}" for cell, size in zip(cells, widths, strict=True)).rstrip()
        out(line if number else bold(line))
