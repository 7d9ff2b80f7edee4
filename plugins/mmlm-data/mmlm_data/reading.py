"""Reads the columns of a table's file, and says what is wrong with it where it cannot."""

from __future__ import annotations

import codecs
import csv
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as parquet

from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_data.options import DELIMITERS, JSON_LINES, SUFFIXES

__all__ = ["Column", "column_names", "read_columns", "value"]

Column: TypeAlias = Any
"""A `pyarrow.ChunkedArray` or a list; see `value`."""

BLOCK = 1 << 26
"""Bytes that are parsed at once: the longest row that a CSV may have."""


def value(column: Column, row: int) -> Any:
    """Return a cell as a plain Python value."""
    cell = column[row]
    return cell.as_py() if isinstance(cell, pa.Scalar) else cell


def read_columns(path: Path, wanted: Mapping[str, str], encoding: str = "utf-8") -> dict[str, Column]:
    """Return the wanted columns of a file, each as long as the file has rows; at least one row.

    Args:
        path: The file.
        wanted: Names of columns, each with the option that names it, for messages.
        encoding: Of a text file.

    Raises:
        DataError: The file is missing, empty, broken, in another encoding, or lacks a column.
    """
    with _openable(path) as suffix:
        if suffix in DELIMITERS:
            columns = _read_delimited(path, wanted, encoding, DELIMITERS[suffix])
        elif suffix in (".json", *JSON_LINES):
            columns = _read_json(path, wanted, encoding)
        else:
            columns = _read_parquet(path, wanted)
    if any(not len(column) for column in columns.values()):
        raise DataError(f"`{path}` has no rows.")
    return columns


def column_names(path: Path, encoding: str = "utf-8") -> list[str]:
    """Return the names of a file's columns, in order.

    Raises:
        DataError: The file is missing, empty, broken or in another encoding.
    """
    with _openable(path) as suffix:
        if suffix in DELIMITERS:
            names = _header(path, _utf8(path, encoding), DELIMITERS[suffix])
        elif suffix in (".json", *JSON_LINES):
            names = list(dict.fromkeys(name for row in _objects(path, encoding) for name in row))
        else:
            with _parquet_file(path) as file:
                names = file.schema_arrow.names
    _check_columns(path, names, {})
    return names


@contextmanager
def _openable(path: Path) -> Iterator[str]:
    """Yield the ending of a file that can be opened."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(
            f"`{path}` cannot be read by its ending `{suffix}`.{did_you_mean(suffix, SUFFIXES)}{one_of(SUFFIXES)}"
        )
    try:
        if not path.stat().st_size:
            raise DataError(f"`{path}` is empty: zero bytes.")
        yield suffix
    except OSError as error:
        raise DataError(f"`{path}` cannot be opened: {error.strerror or error}.") from error


def _check_columns(path: Path, names: Sequence[str], wanted: Mapping[str, str]) -> None:
    """Raise `DataError` where a name stands twice, or a wanted column is missing; say all that are."""
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise DataError(f"`{path}` has {names.count(twice[0])} columns named `{twice[0]}`: rename all but one.")
    missing = [
        f"`{path}` has no column `{name}`, which `{option}` names.{did_you_mean(name, names)}"
        for name, option in wanted.items()
        if name not in names
    ]
    if missing:
        other = next((sign for sign in (";", "\t", "|") if len(names) == 1 and sign in names[0]), None)
        hint = f" Are they divided by {other!r}? It must be by commas, or by tabs in a .tsv." if other else ""
        raise DataError("\n".join(missing) + one_of(names) + hint)


def _utf8(path: Path, encoding: str) -> bytes:
    """Return a text file's content in UTF-8, without a byte order mark.

    Raises:
        DataError: It is not in this encoding; the message says where, and what may help.
    """
    content = path.read_bytes()
    if codecs.lookup(encoding).name in ("utf-8", "utf-8-sig"):
        _check_utf8(path, content)
        return content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode(encoding).removeprefix("\ufeff").encode()
    except UnicodeDecodeError as error:
        raise DataError(
            f"`{path}` is not in the encoding `{encoding}`, which `data.encoding` names: "
            f"{_bytes(content, error.start)} at offset {error.start} is not valid there."
        ) from None


def _check_utf8(path: Path, content: bytes) -> None:
    start = content[:4096]
    wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or start.count(0) > len(start) // 4
    if b"\0" in start and not wide:
        raise DataError(f"`{path}` is no text: it has a zero byte at offset {start.index(0)}.")
    if wide:
        offset = 0 if b"\0" not in start else start.index(0)
        raise DataError(
            f"`{path}` is not in UTF-8 but, by its first bytes, in UTF-16 (zero byte at offset {offset}). "
            f"Say `data.encoding=utf-16`, or convert it: `iconv -f UTF-16 -t UTF-8 {path.name} > new{path.suffix}`."
        )
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise DataError(
            f"`{path}` is not in UTF-8: {_bytes(content, error.start)} at offset {error.start} is not valid there. "
            "Say its encoding, as `data.encoding=gb18030` (Chinese) or `data.encoding=latin-1` (Western European), or "
            f"convert it: `iconv -f GB18030 -t UTF-8 {path.name} > new{path.suffix}`."
        ) from None


def _bytes(content: bytes, offset: int) -> str:
    return f"the byte 0x{content[offset]:02X}"


def _read_delimited(path: Path, wanted: Mapping[str, str], encoding: str, delimiter: str) -> dict[str, Column]:
    content = _utf8(path, encoding)
    names = _header(path, content, delimiter)
    _check_columns(path, names, wanted)
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(content),
            read_options=arrow_csv.ReadOptions(block_size=min(BLOCK, len(content))),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=list(wanted) or names[:1], column_types={name: pa.string() for name in names}
            ),
        )
    except pa.ArrowInvalid as error:
        raise DataError(_delimited_fault(content, delimiter, path, names) or f"`{path}`: {error}.") from error
    columns = {name: table.column(name) for name in table.column_names}
    if table.num_rows and any("\n" in value(column, table.num_rows - 1) for column in columns.values()):
        fault = _delimited_fault(content, delimiter, path, names)  # perhaps a quote that never ends
        if fault:
            raise DataError(fault)
    return columns


def _header(path: Path, content: bytes, delimiter: str) -> list[str]:
    names = next(_rows_of(content, delimiter), [])
    if not names:
        raise DataError(f"`{path}` must begin with a line of column names; its first line is empty.")
    return names


def _rows_of(content: bytes, delimiter: str, strict: bool = False) -> Iterator[list[str]]:
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    return csv.reader(text, delimiter=delimiter, strict=strict)


def _delimited_fault(content: bytes, delimiter: str, path: Path, names: Sequence[str]) -> str:
    """Return what is wrong with the first bad row, read slowly; empty where nothing is."""
    limit = csv.field_size_limit(sys.maxsize)
    number = 0
    try:
        for number, cells in enumerate(filter(None, _rows_of(content, delimiter, strict=True))):
            if len(cells) != len(names):
                return (
                    f"`{path}` row {number} has {len(cells)} cells and must have {len(names)}, one a column "
                    f"({', '.join(names)}): `{delimiter.join(cells)[:60]}`."
                )
    except csv.Error as error:
        return f"`{path}` row {number + 1}: {error}. Is a quote missing?"
    finally:
        csv.field_size_limit(limit)
    return ""


def _read_json(path: Path, wanted: Mapping[str, str], encoding: str) -> dict[str, Column]:
    rows = _objects(path, encoding)
    _check_columns(path, list(dict.fromkeys(name for row in rows for name in row)), wanted)
    return {name: [row.get(name) for row in rows] for name in wanted} or {"": [None] * len(rows)}


def _objects(path: Path, encoding: str) -> list[dict[str, Any]]:
    """Return the objects of a list or of lines of JSON, at least one."""
    text = _utf8(path, encoding).decode()
    listed = path.suffix.lower() not in JSON_LINES and text.lstrip()[:1] == "["
    rows = list(_listed_objects(path, text) if listed else _line_objects(path, text))
    if not rows:
        raise DataError(f"`{path}` has no rows.")
    return rows


def _listed_objects(path: Path, text: str) -> Iterator[dict[str, Any]]:
    try:
        listed = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"`{path}` line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except (ValueError, RecursionError) as error:  # a number of too many digits; too deep a nesting
        raise DataError(f"`{path}` cannot be read as JSON: {error}.") from None
    for number, row in enumerate(listed, 1):
        if not isinstance(row, dict):
            raise DataError(f"`{path}` row {number} must be an object of columns and values, not `{_short(row)}`.")
        yield row


def _line_objects(path: Path, text: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line or line.isspace():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(
                f"`{path}` line {number}, column {error.colno}: {error.msg}: `{line.strip()[:60]}`."
            ) from None
        except (ValueError, RecursionError) as error:
            raise DataError(f"`{path}` line {number} cannot be read as JSON: {error}.") from None
        if not isinstance(row, dict):
            raise DataError(f"`{path}` line {number} must be an object of columns and values, not `{_short(row)}`.")
        yield row


def _short(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False)[:60]


def _read_parquet(path: Path, wanted: Mapping[str, str]) -> dict[str, Column]:
    with _parquet_file(path) as file:
        names = file.schema_arrow.names
        _check_columns(path, names, wanted)
        table = file.read(columns=list(wanted) or names[:1])
    return {name: table.column(name) for name in table.column_names}


@contextmanager
def _parquet_file(path: Path) -> Iterator[parquet.ParquetFile]:
    try:
        with parquet.ParquetFile(path, memory_map=True) as file:
            yield file
    except (pa.ArrowException, OSError) as error:  # damaged pages are an `OSError`
        raise DataError(f"`{path}` cannot be read as Parquet: {' '.join(str(error).split()).rstrip('.')}.") from error
