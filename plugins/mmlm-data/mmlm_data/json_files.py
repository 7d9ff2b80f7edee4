"""Reads JSON: lists and documents whole, lines one by one when they are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmlm_core.errors import DataError, quoted
from mmlm_data.encodings import head, utf8
from mmlm_data.options import JSON_LINES
from mmlm_data.parts import check_columns
from mmlm_data.spans import Lines

__all__ = ["Field", "JsonLines", "first_object", "json_names", "names_of", "objects", "parsed", "read_json"]

ENOUGH = 1000
"""Lines by which the names of columns are told."""


def read_json(path: Path, wanted: Mapping[str, str], encoding: str) -> dict[str, Field]:
    """Return the wanted columns of a list or of lines of JSON. A row that lacks a column has None there.

    Raises:
        DataError: There is no row, a column is in no row, or what stands there is no JSON.
    """
    rows = objects(path, encoding)
    names = names_of(rows, wanted)
    check_columns(path, names, wanted)
    kept = list(wanted) or names[:1]
    return {name: Field(rows, name) for name in kept}


def json_names(path: Path, encoding: str) -> list[str]:
    """Return the names of the columns, in the order in which they come up.

    Raises:
        DataError: As `read_json` does.
    """
    return names_of(objects(path, encoding), {})


def objects(path: Path, encoding: str) -> Sequence[dict[str, Any]]:
    """Return the objects of a list, which is read whole, or of lines, each of which is parsed when it is asked for.

    Raises:
        DataError: There is none.
    """
    listed = path.suffix.lower() not in JSON_LINES and head(path, encoding).lstrip()[:1] == "["
    rows = list(_listed(path, parsed(path, encoding))) if listed else JsonLines(path, encoding)
    if not len(rows):
        raise DataError(f"`{path}` has no rows.")
    return rows


def parsed(path: Path, encoding: str = "utf-8") -> Any:
    """Return a JSON document, whole.

    Raises:
        DataError: It is none; the message says where.
    """
    try:
        return json.loads(utf8(path, encoding).to_pybytes())
    except json.JSONDecodeError as error:
        raise DataError(f"`{path}` line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except (ValueError, RecursionError) as error:  # a number of too many digits; too deep a nesting
        raise DataError(f"`{path}` cannot be read as JSON: {error}.") from None


def first_object(path: Path, encoding: str) -> dict[str, Any]:
    """Return the first object of a list or of lines; empty where there is none within the file's beginning."""
    text = head(path, encoding).lstrip()
    try:
        found, _ = json.JSONDecoder().raw_decode(text.removeprefix("[").lstrip())
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class JsonLines(Sequence[dict[str, Any]]):
    """The objects of lines of JSON, each parsed when it is asked for; blank lines are passed over. Picklable."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.path = path
        self._lines = Lines(path, encoding)
        self._last: tuple[int, dict[str, Any]] = (-1, {})

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, place: Any) -> Any:
        """Return an object.

        Raises:
            DataError: The line is no JSON, or no object.
        """
        if isinstance(place, slice):
            return [self[each] for each in range(len(self))[place]]
        if self._last[0] != place:  # the columns of a row are asked for one after another
            self._last = (place, self._parsed(place))
        return self._last[1]

    def _parsed(self, place: int) -> dict[str, Any]:
        line, number = self._lines[place], self._lines.number(place)
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(
                f"`{self.path}` line {number}, column {error.colno}: {error.msg}: `{line.strip()[:60]}`."
            ) from None
        except (ValueError, RecursionError) as error:
            raise DataError(f"`{self.path}` line {number} cannot be read as JSON: {error}.") from None
        if not isinstance(row, dict):
            raise DataError(f"`{self.path}` line {number} must be an object of columns and values, not {quoted(row)}.")
        return row


@dataclass(frozen=True)
class Field(Sequence[Any]):
    """One column of objects."""

    rows: Sequence[dict[str, Any]]
    name: str

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: Any) -> Any:
        return self.rows[place].get(self.name)


def names_of(rows: Sequence[dict[str, Any]], wanted: Mapping[str, str]) -> list[str]:
    """Return the names of the columns of the first rows, and of as many more as it takes to find those wanted.

    Raises:
        DataError: A row cannot be read, and no other has what is wanted; the error is the first one's.
    """
    found: dict[str, None] = {}
    fault: DataError | None = None
    for place in range(len(rows)):
        if place >= ENOUGH and wanted.keys() <= found.keys():
            break
        try:
            found |= dict.fromkeys(rows[place])
        except DataError as error:  # told when the row is read, or skipped
            fault = fault or error
    if fault and not (found and wanted.keys() <= found.keys()):
        raise fault
    return list(found)


def _listed(path: Path, rows: Any) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise DataError(f"`{path}` row {number} must be an object of columns and values, not {quoted(row)}.")
        yield row
