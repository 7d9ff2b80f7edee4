"""Files, folders and patterns, and what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from mmlm_core.errors import DataError, did_you_mean

__all__ = ["existing", "files_at", "files_below", "openable"]


@contextmanager
def openable(path: Path) -> Iterator[None]:
    """Tell of a file that cannot be opened, or is empty.

    Raises:
        DataError: So it is.
    """
    try:
        if not path.stat().st_size:
            raise DataError(f"`{path}` is empty: zero bytes.")
        yield
    except OSError as error:
        raise DataError(f"`{path}` cannot be opened: {error.strerror or error}.") from error


def existing(path: str) -> Path:
    """Return the path of a file or a folder.

    Raises:
        DataError: There is none.
    """
    found = Path(path).expanduser()
    if not found.exists():
        near = [other.name for other in found.parent.iterdir()] if found.parent.is_dir() else []
        raise DataError(f"`{path}` is no file and no folder.{did_you_mean(found.name, near)}")
    return found


def files_at(path: str, suffixes: Collection[str]) -> list[Path]:
    """Return a file; or the files with these endings in a folder; or those that a pattern finds; by name.

    Raises:
        DataError: A folder or a pattern has none. A single file need not exist.
    """
    given = Path(path).expanduser()
    if given.is_dir():
        found = [file for file in files_below(given) if file.suffix.lower() in suffixes]
    elif any(sign in path for sign in "*?[") and not given.exists():
        found = sorted(Path(given.anchor).glob(str(given.relative_to(given.anchor))))
    else:
        return [given]
    if not found:
        raise DataError(f"`{path}` finds no file with the ending {' or '.join(f'`{each}`' for each in suffixes)}.")
    return found


def files_below(folder: Path) -> Iterator[Path]:
    """Yield every file in a folder and below, by name; what begins with a dot is left out."""
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from files_below(Path(entry.path))
        elif entry.is_file():
            yield Path(entry.path)
