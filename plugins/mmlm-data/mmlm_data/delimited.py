"""Reads CSV and TSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from mmlm_core.errors import DataError
from mmlm_data.encodings import head, text_of, utf8
from mmlm_data.parts import Column, check_columns, columns_of_batches, value
from mmlm_data.spool import SMALL

__all__ = ["first_delimited", "header", "read_delimited"]

BLOCK = 1 << 26
"""Bytes that are parsed at once: the longest row that a CSV may have."""


def read_delimited(path: Path, wanted: Mapping[str, str], encoding: str, delimiter: str) -> Mapping[str, Column]:
    """Return the wanted columns; of a large file, memory-mapped. Cells are text, exactly as they stand.

    Raises:
        DataError: A row has more or fewer cells than the header, a quote is missing, or a column.
    """
    content = utf8(path, encoding)
    names = _names(path, text_of(content), delimiter)
    check_columns(path, names, wanted)
    kept = list(wanted) or names[:1]
    options = {
        "read_options": arrow_csv.ReadOptions(block_size=min(BLOCK, max(content.size, 1))),
        "parse_options": arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        "convert_options": arrow_csv.ConvertOptions(
            include_columns=kept, column_types={name: pa.string() for name in names}
        ),
    }
    try:
        if content.size <= SMALL:
            table = arrow_csv.read_csv(pa.BufferReader(content), **options)
            columns: Mapping[str, Column] = {name: table.column(name) for name in table.column_names}
        else:
            reader = arrow_csv.open_csv(pa.BufferReader(content), **options)
            columns = columns_of_batches(path, f"{kept} in {encoding}", reader.schema, reader)
    except pa.ArrowInvalid as error:
        raise DataError(_fault(content, delimiter, path, names) or f"`{path}`: {error}.") from error
    count = len(columns[kept[0]])
    if count and any("\n" in (value(column, count - 1) or "") for column in columns.values()):
        fault = _fault(content, delimiter, path, names)  # perhaps a quote that never ends
        if fault:
            raise DataError(fault)
    return columns


def header(path: Path, encoding: str, delimiter: str) -> list[str]:
    """Return the names of the columns.

    Raises:
        DataError: The first line is empty, or the file is in another encoding.
    """
    return _names(path, text_of(utf8(path, encoding)), delimiter)


def first_delimited(path: Path, encoding: str, delimiter: str) -> dict[str, Any]:
    """Return the first row; a column without a cell has an empty one."""
    with _long_cells():
        rows = csv.reader(head(path, encoding).splitlines(keepends=True), delimiter=delimiter)
        names, cells = next(rows, []), next(rows, [])
    return dict.fromkeys(names, "") | dict(zip(names, cells, strict=False))


def _names(path: Path, lines: Iterator[str], delimiter: str) -> list[str]:
    with _long_cells():
        names = next(csv.reader(lines, delimiter=delimiter), [])
    if not names:
        raise DataError(f"`{path}` must begin with a line of column names; its first line is empty.")
    return names


def _fault(content: pa.Buffer, delimiter: str, path: Path, names: Sequence[str]) -> str:
    """Return what is wrong with the first bad row, read slowly; empty where nothing is."""
    number = 0
    try:
        with _long_cells():
            rows = csv.reader(text_of(content), delimiter=delimiter, strict=True)
            for number, cells in enumerate(filter(None, rows)):
                if len(cells) != len(names):
                    return (
                        f"`{path}` row {number} has {len(cells)} cells and must have {len(names)}, one a column "
                        f"({', '.join(names)[:200]}): `{delimiter.join(cells)[:60]}`."
                    )
    except csv.Error as error:
        return f"`{path}` row {number + 1}: {error}. Is a quote missing?"
    return ""


@contextmanager
def _long_cells() -> Iterator[None]:
    """Let cells be as long as they are, for a while: the limit is the whole process's."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(limit)
