"""Inputs of the command line as rows: files, folders, patterns, a table, text, or JSON lines on standard input."""

from __future__ import annotations

import csv
import io
import json
import mimetypes
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from mmlm_core.cli.arguments import Parser
from mmlm_core.errors import DataError, OptionError, did_you_mean, one_of

__all__ = ["add_inputs", "read_rows"]

Row = dict[str, Any]

TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
"""Suffixes of tables, which `--table` reads."""


def add_inputs(parser: Parser) -> None:
    """Add the arguments that say what is predicted for."""
    parser.add_argument("run", metavar="RUN", type=Path, help="the run's folder")
    parser.add_argument("inputs", metavar="INPUT", nargs="*",
                        help="a file, a folder, a pattern such as `*.png`, or `-` for JSON lines on standard input "
                        '(`{"image": "cat.png"}`); or an override such as `decoding.beams=4`')  # fmt: skip
    parser.add_argument("--table", type=Path, metavar="FILE", help="a CSV, JSON-lines or Parquet file, a row each")
    parser.add_argument("--column", action="append", default=[], metavar="MODALITY=COLUMN",
                        help="the table's column of a modality, where the run's data does not say it")  # fmt: skip
    parser.add_argument("--text", metavar="TEXT", help="the text input, alone or for every other input")
    parser.add_argument("--prompt", metavar="TEXT", help="what the generated text begins with")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write JSON lines to this file")


def split_overrides(inputs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the inputs and the overrides among them: `group.option=value` that is no file."""
    overrides = [text for text in inputs if "=" in text and not Path(text).exists()]
    return [text for text in inputs if text not in overrides], overrides


def read_rows(
    args: Namespace,
    inputs: Sequence[str],
    modalities: Sequence[str],
    columns: Mapping[str, str],
    suffixes: Mapping[str, str],
) -> Iterator[Row]:
    """Yield a row for each input.

    Args:
        args: The arguments of `add_inputs`.
        inputs: The inputs without the overrides.
        modalities: What the model reads.
        columns: The columns that the run's data names by modality.
        suffixes: The modality of files whose MIME type does not name it, by their ending.

    Raises:
        DataError: An input that cannot be used.
        OptionError: There are no inputs.
    """
    extra = {key: value for key, value in (("text", args.text), ("prompt", args.prompt)) if value is not None}
    rows: list[Iterable[Row]] = [_given(text, modalities, suffixes) for text in inputs]
    if args.table is not None:
        rows.append(_table(args.table, modalities, columns, _columns(args.column, modalities)))
    if not rows and not extra:
        raise OptionError("There is nothing to predict for: give a file, a folder, `--table`, `--text`, `--prompt`, "
                          "or `-` for JSON lines on standard input.")  # fmt: skip
    if not rows:
        yield extra
    for several in rows:
        for row in several:
            yield {**extra, **row}


def _given(text: str, modalities: Sequence[str], suffixes: Mapping[str, str]) -> Iterable[Row]:
    if text == "-":
        return _standard_input()
    path = Path(text)
    if path.is_dir():
        return _folder(path, modalities, suffixes)
    if path.is_file():
        return [_file(path, modalities, suffixes)]
    found = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor)))) if "*" in text or "?" in text else []
    if not found:
        near = [str(other) for other in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"`{text}` is no file, folder or pattern that finds any.{did_you_mean(text, near)}")
    return [_file(name, modalities, suffixes) for name in found if name.is_file()]


def _folder(folder: Path, modalities: Sequence[str], suffixes: Mapping[str, str]) -> Iterable[Row]:
    """Return the folder's files that the model reads, those of folders below it included, by name."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and _modality(path, suffixes) in modalities]
    if not files:
        raise DataError(f"`{folder}` has no file that this model reads.{_reads(modalities)}")
    return (_file(path, modalities, suffixes) for path in files)


def _file(path: Path, modalities: Sequence[str], suffixes: Mapping[str, str]) -> Row:
    """Return one file as a row: its path, or what is written in it where it is text."""
    modality = _modality(path, suffixes)
    others = [name for name in modalities if name != "text"]
    if modality not in modalities:
        if path.suffix.lower() in TABLES:
            raise DataError(f"`{path}` is a table: write `--table {path}`.")
        if len(others) != 1 or modality == "text":
            raise DataError(f"`{path}` is no file that this model reads.{_reads(modalities)}")
        modality = others[0]  # a file of an unknown kind can only be of the one modality that has files
    if modality != "text":
        return {"key": str(path), modality: str(path)}
    try:
        return {"key": str(path), "text": path.read_text(encoding="utf-8").rstrip("\n")}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"`{path}` is no text in UTF-8: {error}.") from error


def _modality(path: Path, suffixes: Mapping[str, str]) -> str:
    """Return the modality that a file's suffix says; empty where it says none."""
    suffix = path.suffix.lower()
    if suffix in TABLES or suffix in suffixes:
        return suffixes.get(suffix, "")
    return (mimetypes.guess_type(path.name)[0] or "").partition("/")[0]


def _reads(modalities: Sequence[str]) -> str:
    return one_of(modalities).replace("Choices", "It reads") if modalities else " It reads no inputs."


def _columns(given: Sequence[str], modalities: Sequence[str]) -> dict[str, str]:
    columns = {}
    for text in given:
        modality, equals, column = text.partition("=")
        if not equals or modality not in (*modalities, "prompt"):
            raise OptionError(f"`--column {text}` must read `MODALITY=COLUMN`."
                              f"{did_you_mean(modality, modalities)}{_reads(modalities)}")  # fmt: skip
        columns[modality] = column
    return columns


def _table(path: Path, modalities: Sequence[str], usual: Mapping[str, str], named: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows of a table.

    A modality's column is the one that is named; else that of the run's data, or the one that has the modality's name.
    """
    index = -1
    for index, record in enumerate(_records(path)):
        row: Row = {"key": f"{path}:{index + 1}"}
        names = {name: named.get(name, usual[name] if usual.get(name) in record else name) for name in modalities}
        for modality, column in names.items():
            if record.get(column) is not None:
                value = record[column]
                if value == "" and modality != "text":
                    continue  # an empty cell is no file
                files = modality != "text" and isinstance(value, str)
                row[modality] = str(path.parent / value) if files else value
        if len(row) == 1 and names:
            known = list(record)
            column = next(iter(names.values()))
            if column in known:  # its cell is empty; the predictor says so, or leaves the row out
                yield row
                continue
            raise DataError(f"row {index + 1} of `{path}` has no column `{column}`: name it with "
                            f"`--column {next(iter(names))}=COLUMN`.{did_you_mean(column, known)}"
                            f"{one_of(known).replace('Choices', 'Columns')}")  # fmt: skip
        prompt = record.get(named.get("prompt", "prompt"))
        yield row if prompt is None else {**row, "prompt": prompt}
    if index < 0:
        raise DataError(f"`{path}` has no rows.")


def _records(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the records of a table as they stand in the file."""
    suffix = path.suffix.lower()
    if not path.is_file():
        raise DataError(f"`{path}` is no file.")
    try:
        if suffix in (".csv", ".tsv"):
            with path.open(newline="", encoding="utf-8-sig") as file:
                yield from _delimited(file, path, "\t" if suffix == ".tsv" else ",")
        elif suffix in (".jsonl", ".ndjson"):
            with path.open(encoding="utf-8-sig") as file:
                yield from _json_lines(file, f"`{path}`", path.parent)
        elif suffix == ".parquet":
            yield from _parquet(path)
        else:
            raise DataError(f"`{path}` must be a table.{one_of(TABLES).replace('Choices', 'Suffixes')}")
    except UnicodeDecodeError as error:
        raise DataError(f"`{path}` is no text in UTF-8: the byte 0x{error.object[error.start]:02X} is not valid there. "
                        f"Convert it, as `iconv -f UTF-16 -t UTF-8 {path.name} > new{suffix}`.") from error  # fmt: skip


def _delimited(file: TextIO, path: Path, delimiter: str) -> Iterator[Mapping[str, str]]:
    """Yield the rows of a CSV or TSV; each must have as many cells as there are columns."""
    rows = filter(None, csv.reader(file, delimiter=delimiter, strict=True))
    number = 0
    try:
        names = next(rows, [])
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise DataError(f"`{path}` has {names.count(twice)} columns named `{twice}`: rename all but one.")
        for number, cells in enumerate(rows, 1):
            if len(cells) != len(names):
                raise DataError(f"row {number} of `{path}` has {len(cells)} cells and must have {len(names)}, one a "
                                f"column ({', '.join(names)}): `{delimiter.join(cells)[:60]}`.")  # fmt: skip
            yield dict(zip(names, cells, strict=True))
    except csv.Error as error:
        raise DataError(f"row {number + 1} of `{path}`: {error}. Is a quote missing?") from error


def _standard_input() -> Iterator[Row]:
    """Yield the objects of standard input, which is UTF-8 whatever the locale says."""
    binary = getattr(sys.stdin, "buffer", None)
    lines: Any = sys.stdin if binary is None else io.TextIOWrapper(binary, encoding="utf-8-sig")
    try:
        yield from _json_lines(lines, "standard input", Path())
    except UnicodeDecodeError as error:
        raise DataError(f"standard input is no text in UTF-8: the byte 0x{error.object[error.start]:02X} is not valid "
                        "there.") from error  # fmt: skip
    finally:
        if binary is not None:
            lines.detach()  # else it would close standard input with itself


def _parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise DataError(f"`{path}` is a Parquet file, which needs pyarrow: `pip install pyarrow`.") from error
    try:
        with ParquetFile(path) as file:
            for batch in file.iter_batches(256):
                yield from batch.to_pylist()
    except ArrowInvalid as error:
        raise DataError(f"`{path}` is no Parquet file: {str(error).rstrip('.')}.") from error


def _json_lines(lines: Iterable[str], name: str, folder: Path) -> Iterator[Row]:
    """Yield the objects of JSON lines."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"line {number} of {name} is no JSON: {error.msg}.") from error
            if not isinstance(row, dict):
                raise DataError(f'line {number} of {name} must be an object, as `{{"image": "cat.png"}}`.')
            yield row
