"""Inputs of the command line as rows: files, folders, patterns, a table, text, or JSON lines on standard input."""

from __future__ import annotations

import io
import itertools
import json
import mimetypes
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mmlm_core.cli.arguments import Parser
from mmlm_core.cli.tables import Tables
from mmlm_core.composition import Composition
from mmlm_core.errors import DataError, OptionError, did_you_mean, one_of

__all__ = ["InputReader", "add_inputs", "split_overrides"]

Row = dict[str, Any]


def add_inputs(parser: Parser) -> None:
    """Add the arguments that say what is predicted for."""
    parser.add_argument("run", metavar="RUN", type=Path, help="the run's folder")
    parser.add_argument("inputs", metavar="INPUT", nargs="*",
                        help="a file, a folder, a pattern such as `*.png`, or `-` for JSON lines on standard input "
                        '(`{"image": "cat.png"}`); or an override such as `decoding.beams=4`')  # fmt: skip
    parser.add_argument(
        "--table",
        type=Path,
        metavar="FILE",
        help="a CSV, JSON-lines or Parquet file, or another that a plugin opens: a row each",
    )
    parser.add_argument("--column", action="append", default=[], metavar="MODALITY=COLUMN",
                        help="the table's column of a modality, where the run's data does not say it")  # fmt: skip
    parser.add_argument("--text", metavar="TEXT", help="the text input, alone or for every other input")
    parser.add_argument("--prompt", metavar="TEXT", help="what the generated text begins with")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write JSON lines to this file")


def split_overrides(inputs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the inputs and the overrides among them: `group.option=value` that is no file."""
    overrides = [text for text in inputs if "=" in text and not Path(text).exists()]
    return [text for text in inputs if text not in overrides], overrides


class InputReader:
    """Turns inputs into rows for a model.

    Args:
        composition: Of the model.
        tables: What opens tables.
    """

    def __init__(self, composition: Composition, tables: Tables) -> None:
        self._modalities = composition.modalities()
        self._suffixes = composition.suffixes()
        self._tables = tables

    def read(self, args: Namespace, inputs: Sequence[str]) -> Iterator[Row]:
        """Return an iterator over a row for each input; the first is read at once, so that what is no input is told.

        Args:
            args: The arguments of `add_inputs`.
            inputs: The inputs without the overrides.

        Raises:
            DataError: An input that cannot be used.
            OptionError: There are no inputs.
        """
        rows = self._rows(args, inputs)
        return itertools.chain(list(itertools.islice(rows, 1)), rows)

    def _rows(self, args: Namespace, inputs: Sequence[str]) -> Iterator[Row]:
        extra = {key: value for key, value in (("text", args.text), ("prompt", args.prompt)) if value is not None}
        rows: list[Iterable[Row]] = [self._given(text) for text in inputs]
        if args.table is not None:
            rows.append(self._tables.rows(args.table, self._columns(args.column)))
        if not rows and not extra:
            raise OptionError("There is nothing to predict for: give a file, a folder, `--table`, `--text`, "
                              "`--prompt`, or `-` for JSON lines on standard input.")  # fmt: skip
        if not rows:
            yield extra
        for several in rows:
            for row in several:
                yield {**extra, **row}

    def _given(self, text: str) -> Iterable[Row]:
        if text == "-":
            return _standard_input()
        if not text.strip():
            raise DataError(f"`{text}` names no input: `.` is the present folder, and `--text` takes a text.")
        path = Path(text)
        if path.is_dir():
            return self._folder(path)
        if path.is_file():
            return [self._file(path)]
        found = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor)))) if "*" in text or "?" in text else []
        if not found:
            near = [str(other) for other in path.parent.iterdir()] if path.parent.is_dir() else []
            raise DataError(f"`{text}` is no file, folder or pattern that finds any.{did_you_mean(text, near)}")
        return [self._file(name) for name in found if name.is_file()]

    def _folder(self, folder: Path) -> Iterable[Row]:
        """Return the folder's files that the model reads, those of folders below it included, by name."""
        paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
        files = [path for path in paths if self._modality(path) in self._modalities]
        if not files:
            raise DataError(f"`{folder}` has no file that this model reads.{self._reads()}")
        return (self._file(path) for path in files)

    def _file(self, path: Path) -> Row:
        """Return one file as a row: its path, or what is written in it where it is text."""
        modality = self._modality(path)
        others = [name for name in self._modalities if name != "text"]
        if modality not in self._modalities:
            if self._tables.opens(path):
                raise DataError(f"`{path}` is a table: write `--table {path}`.")
            if len(others) != 1 or modality == "text":
                raise DataError(f"`{path}` is no file that this model reads.{self._reads()}")
            modality = others[0]  # a file of an unknown kind can only be of the one modality that has files
        if modality != "text":
            return {"key": str(path), modality: str(path)}
        try:
            return {"key": str(path), "text": path.read_text(encoding="utf-8").rstrip("\n")}
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"`{path}` is no text in UTF-8: {error}.") from error

    def _modality(self, path: Path) -> str:
        """Return the modality that a file's suffix says; empty where it says none."""
        suffix = path.suffix.lower()
        if suffix in self._suffixes or self._tables.opens(path):
            return self._suffixes.get(suffix, "")
        return (mimetypes.guess_type(path.name)[0] or "").partition("/")[0]

    def _reads(self) -> str:
        return one_of(self._modalities).replace("Choices", "It reads") if self._modalities else " It reads no inputs."

    def _columns(self, given: Sequence[str]) -> dict[str, str]:
        columns = {}
        for text in given:
            modality, equals, column = text.partition("=")
            if not equals or modality not in (*self._modalities, "prompt"):
                raise OptionError(f"`--column {text}` must read `MODALITY=COLUMN`."
                                  f"{did_you_mean(modality, self._modalities)}{self._reads()}")  # fmt: skip
            columns[modality] = column
        return columns


def _standard_input() -> Iterator[Row]:
    """Yield the objects of standard input, which is UTF-8 whatever the locale says; at least one."""
    binary = getattr(sys.stdin, "buffer", None)
    lines: Any = sys.stdin if binary is None else io.TextIOWrapper(binary, encoding="utf-8-sig")
    number = 0
    try:
        for number, row in enumerate(_json_lines(lines, "standard input"), 1):  # noqa: B007
            yield row
        if not number:
            raise DataError('standard input has no rows: give lines of JSON, as `{"image": "cat.png"}`.')
    except UnicodeDecodeError as error:
        raise DataError(f"standard input is no text in UTF-8: the byte 0x{error.object[error.start]:02X} is not valid "
                        "there.") from error  # fmt: skip
    finally:
        if binary is not None:
            lines.detach()  # else it would close standard input with itself


def _json_lines(lines: Iterable[str], name: str) -> Iterator[Row]:
    """Yield the objects of JSON lines."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:  # also a number of too many digits, and too deep a nesting
                reason = error.msg if isinstance(error, json.JSONDecodeError) else error
                raise DataError(f"line {number} of {name} is no JSON: {reason}.") from error
            if not isinstance(row, dict):
                raise DataError(f'line {number} of {name} must be an object, as `{{"image": "cat.png"}}`.')
            yield row
