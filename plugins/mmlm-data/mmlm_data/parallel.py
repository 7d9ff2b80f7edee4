"""The data source `parallel`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from mmlm_core.errors import DataError
from mmlm_data.encodings import utf8
from mmlm_data.file_source import FileSource
from mmlm_data.language_options import ParallelOptions
from mmlm_data.parts import Part, part_of_rows
from mmlm_data.paths import existing, openable
from mmlm_data.spans import EveryLine, Lines

__all__ = ["ParallelSource"]

UNCLOSED = re.compile(r'(?:msg\w+(?:\[\d+\])?\s*)?"(?:[^"\\]|\\.)*\\?$')
"""A line of a catalogue whose text has a first quote and no last."""

SCHEMA = pa.schema({"source": pa.string(), "target": pa.string(), "key": pa.string()})


class ParallelSource(FileSource):
    """Sentences with their translations.

    Args:
        options: The options.
    """

    name = "parallel"

    def __init__(self, options: ParallelOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`."""
        file = existing(path)
        with openable(file):
            if file.suffix.lower() in (".po", ".pot"):
                return [_gettext(file, self.options.encoding)]
            return [self._two(file, self.options.to) if self.options.to else self._tabbed(file)]

    def _two(self, file: Path, to: str) -> Part:
        """Return the lines of two files side by side."""
        ending = to.removeprefix(".")
        if not ending or "/" in ending:
            raise DataError(f"`data.to={to}` is no ending of a file: name that of the translations, as `data.to=de`.")
        other = file.with_suffix(f".{ending}")
        if other == file:
            raise DataError(f"`data.to={to}` is the ending of `{file}` itself: name that of the translations.")
        with openable(other):
            sources, targets = (EveryLine(each, self.options.encoding) for each in (file, other))
        if len(sources) != len(targets):
            raise DataError(f"`{file}` has {len(sources):,} lines and `{other}` {len(targets):,}: each line must have "
                            "its translation in the line of the same number.")  # fmt: skip
        return Part(file, {"source": _Stripped(sources), "target": _Stripped(targets)}, len(sources), file.parent)

    def _tabbed(self, file: Path) -> Part:
        """Return two cells of each line of a TSV."""
        lines = Lines(file, self.options.encoding)
        if not len(lines):
            raise DataError(f"`{file}` has no rows.")
        cells = {"source": self.options.source_cell, "target": self.options.target_cell}
        count = len(_between_tabs(lines[0]))
        columns = {name: _Cells(file, lines, cell, count) for name, cell in cells.items()}
        return Part(file, columns, len(lines), file.parent)


def _gettext(file: Path, encoding: str) -> Part:
    """Return the messages of a catalogue that are translated, plural forms included; fuzzy ones are left out.

    Of the plural, the last form is taken, as most languages have it.
    """
    import polib

    text = utf8(file, encoding).to_pybytes().decode()
    for number, line in enumerate(text.splitlines(), start=1):
        if UNCLOSED.match(line.strip()):  # polib would take the text's last letter for its quote
            raise DataError(f"`{file}` line {number} has a text without its last quote: `{line.strip()[:60]}`.")
    try:
        catalogue = polib.pofile(text, wrapwidth=0)
    except (OSError, ValueError, IndexError, AttributeError) as error:  # polib tells a fault in nearly any of these
        raise DataError(f"`{file}` cannot be read as a gettext catalogue: {error}.") from error
    rows = []
    for entry in catalogue.translated_entries():
        forms = [(entry.msgid, entry.msgstr)]
        if entry.msgid_plural:
            said = [entry.msgstr_plural[number] for number in sorted(entry.msgstr_plural)]
            forms = [(entry.msgid, said[0]), (entry.msgid_plural, said[-1])]
        rows += [
            {"source": source, "target": target, "key": f"{file.name}:{entry.linenum}{'+' * number}"}
            for number, (source, target) in enumerate(forms)
        ]
    return part_of_rows(file, rows, SCHEMA, keys="key")


@dataclass(frozen=True)
class _Stripped(Sequence[str]):
    """Lines without the white space around them."""

    lines: EveryLine

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, place: Any) -> Any:
        return self.lines[place].strip()


@dataclass(frozen=True)
class _Cells(Sequence[str]):
    """One cell of each line, between tabs; all lines have as many as the first, or a stray tab would move a text."""

    file: Path
    lines: Lines
    cell: int
    wanted: int

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, place: Any) -> Any:
        cells = _between_tabs(self.lines[place])
        if self.cell >= len(cells):
            raise DataError(f"`{self.file}` line {self.lines.number(place)} has {len(cells)} cells between tabs and "
                            f"must have at least {self.cell + 1}: `{self.lines[place][:60]}`.")  # fmt: skip
        if len(cells) != self.wanted:
            raise DataError(f"`{self.file}` line {self.lines.number(place)} has {len(cells)} cells between tabs, and "
                            f"the first line {self.wanted}: `{self.lines[place][:60]}`.")  # fmt: skip
        return cells[self.cell].strip()


def _between_tabs(line: str) -> list[str]:
    return line.rstrip("\r").split("\t")
