"""Small files, written whole or not at all: text, YAML, JSON, JSON lines."""

from __future__ import annotations

import csv
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from mmlm_core.errors import RunError

__all__ = ["append_line", "cache_folder", "read_json", "read_lines", "read_yaml", "replacing", "write_json",
           "write_lines", "write_table", "write_text", "write_yaml"]  # fmt: skip


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path to write; afterwards it takes the place of `path` in one stroke.

    A process that is killed on the way leaves what was there before.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def cache_folder(name: str) -> Path:
    """Return the user's folder for what is kept and can be deleted at any time: `mmlm/NAME` in `XDG_CACHE_HOME`, or in
    `~/.cache`; a temporary one where that cannot be written.
    """
    for base in (os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", tempfile.gettempdir()):
        folder = Path(base) / "mmlm" / name
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    return Path(tempfile.mkdtemp(prefix=f"mmlm-{name}-"))


def write_text(path: Path, text: str) -> None:
    """Write a text file, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_yaml(path: Path, value: Any) -> None:
    """Write plain values as YAML, atomically."""
    write_text(path, yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


def write_json(path: Path, value: Any) -> None:
    """Write plain values as JSON, atomically; numbers that JSON does not have become null."""
    write_text(path, json.dumps(_finite(value), ensure_ascii=False, indent=2, default=str) + "\n")


def write_lines(path: Path, values: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON lines, atomically."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for value in values:
            file.write(_line(value))


def write_table(path: Path, values: Iterable[Mapping[str, Any]]) -> None:
    """Write mappings as a CSV table, atomically: a column for each key, in the order in which keys appear."""
    rows = list(values)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def append_line(path: Path, value: Mapping[str, Any]) -> None:
    """Append one JSON line in one write, so that a line is there whole or not at all."""
    with path.open("a", encoding="utf-8") as file:
        file.write(_line(value))


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds a mapping.

    Raises:
        RunError: It is no such file.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"`{path}` cannot be read: {error}.") from error
    if not isinstance(value, dict):
        raise RunError(f"`{path}` must hold a mapping, not {type(value).__name__}.")
    return value


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines; no lines where there is no file.

    Raises:
        RunError: A line is no JSON.
    """
    if not path.exists():
        return []
    lines = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            lines.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise RunError(f"Line {number} of `{path}` is no JSON: {error}.") from error
    return lines


def read_yaml(path: Path) -> Any:
    """Read a YAML file of plain values.

    Raises:
        RunError: It is no such file.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        raise RunError(f"`{path}` cannot be read: {' '.join(str(error).split())}.") from error


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(_finite(dict(value)), ensure_ascii=False, default=str) + "\n"


def _finite(value: Any) -> Any:
    """Return the value with null for the numbers that JSON does not have."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
