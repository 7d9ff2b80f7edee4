"""Reads the columns of a table's file, by its ending, and says what is wrong with it where it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_data.arrow_files import arrow_names, first_arrow, read_arrow
from mmlm_data.delimited import first_delimited, header, read_delimited
from mmlm_data.json_files import first_object, json_names, read_json
from mmlm_data.options import DELIMITERS, JSON_LINES, SUFFIXES
from mmlm_data.parts import Column, Part, check_columns
from mmlm_data.paths import files_at, openable

__all__ = ["check_headers", "column_names", "first_row", "read_tables"]

JSON = (".json", *JSON_LINES)

SMALL_JSON = 1 << 22
"""Bytes up to which JSON is read for the names of its columns alone."""


def read_tables(path: str, wanted: Mapping[str, str], encoding: str = "utf-8") -> list[Part]:
    """Return the wanted columns of a table's file, or of each of several.

    Args:
        path: A file, a folder of such files, or a pattern.
        wanted: Names of columns, each with the option that names it, for messages.
        encoding: Of text files.

    Raises:
        DataError: A file is missing, empty, broken, in another encoding, or lacks a column.
    """
    return [_part(file, wanted, encoding) for file in files_at(path, SUFFIXES)]


def column_names(path: Path, encoding: str = "utf-8") -> list[str]:
    """Return the names of a file's columns, in order.

    Raises:
        DataError: The file is missing, empty, broken or in another encoding.
    """
    with _opened(path) as suffix:
        if suffix in DELIMITERS:
            names = header(path, encoding, DELIMITERS[suffix])
        elif suffix in JSON:
            names = json_names(path, encoding)
        else:
            names = arrow_names(path)
    check_columns(path, names, {})
    return names


def check_headers(path: str, wanted: Mapping[str, str], encoding: str = "utf-8") -> None:
    """Raise where the files of a path lack a column, by what stands at their beginning; JSON has no such thing.

    Args:
        path: A file, a folder of such files, or a pattern.
        wanted: Names of columns, each with the option that names it.
        encoding: Of text files.

    Raises:
        DataError: A file is missing, empty, broken, in another encoding, or lacks a column.
    """
    for file in files_at(path, SUFFIXES):
        with _opened(file) as suffix:
            small = file.stat().st_size <= SMALL_JSON
        if suffix not in JSON or small:
            check_columns(file, column_names(file, encoding), wanted)


def first_row(path: str, encoding: str = "utf-8") -> dict[str, Any]:
    """Return the first row of a table, by column, as well as it can be read from the file's beginning.

    Raises:
        DataError: The file is missing, empty, or broken.
    """
    file = files_at(path, SUFFIXES)[0]
    with _opened(file) as suffix:
        if suffix in DELIMITERS:
            return first_delimited(file, encoding, DELIMITERS[suffix])
        return first_object(file, encoding) if suffix in JSON else first_arrow(file)


def _part(path: Path, wanted: Mapping[str, str], encoding: str) -> Part:
    columns: Mapping[str, Column]
    with _opened(path) as suffix:
        if suffix in DELIMITERS:
            columns = read_delimited(path, wanted, encoding, DELIMITERS[suffix])
        elif suffix in JSON:
            columns = read_json(path, wanted, encoding)
        else:
            columns = read_arrow(path, wanted)
    count = len(next(iter(columns.values())))
    if not count:
        raise DataError(f"`{path}` has no rows.")
    return Part(path, columns, count, path.parent)


@contextmanager
def _opened(path: Path) -> Iterator[str]:
    """Yield the ending of a table that can be opened."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(
            f"`{path}` cannot be read by its ending `{suffix}`.{did_you_mean(suffix, SUFFIXES)}{one_of(SUFFIXES)}"
        )
    with openable(path):
        yield suffix
