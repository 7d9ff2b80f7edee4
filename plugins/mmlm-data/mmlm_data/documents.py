"""Members of JSON documents, checked, and the folders of the media that they name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from mmlm_core.errors import DataError, did_you_mean, quoted
from mmlm_data.json_files import parsed
from mmlm_data.paths import openable

__all__ = ["document", "media_folder", "member", "members", "unlike"]

T = TypeVar("T")

SOME = 20
"""Names of media by which their folder is told."""

WORDS: Mapping[type, str] = {str: "a text", int: "a whole number", list: "a list", dict: "an object"}


def document(path: Path) -> Any:
    """Return a JSON document.

    Raises:
        DataError: The file is missing, empty, or no JSON.
    """
    with openable(path):
        return parsed(path)


def member(path: Path, owner: Any, name: str, kind: type[T], where: str = "") -> T:
    """Return a member of an object.

    Args:
        path: The document's file.
        owner: The object.
        name: The member's name.
        kind: Its type.
        where: Where in the document the object stands; empty: it is the document.

    Raises:
        DataError: The object is none, or has no such member of this type.
    """
    place = f"`{path}`" if not where else f"`{path}` {where}"
    if not isinstance(owner, dict):
        raise DataError(f"{place} must be an object with `{name}`, not {quoted(owner)}.")
    if name not in owner:
        raise DataError(f"{place} has no `{name}`.{did_you_mean(name, owner)}")
    found = owner[name]
    if not isinstance(found, kind) or isinstance(found, bool):
        raise DataError(f"{place} must have {WORDS[kind]} as `{name}`, not {quoted(found)}.")
    return found


def members(path: Path, owner: Any, name: str, where: str = "") -> Iterable[tuple[str, Any]]:
    """Return the items of a list, each with its place, as `annotations[17]`; raises as `member` does."""
    begin = f"{where}.{name}" if where else name
    return ((f"{begin}[{number}]", each) for number, each in enumerate(member(path, owner, name, list, where)))


def media_folder(given: str | None, file: Path, usual: Iterable[Path], names: Iterable[str]) -> Path:
    """Return the folder of the media that a file names.

    Args:
        given: What the option says: a folder, relative to the file's; None: the first usual one that has one of the
            first named files, or the file's own.
        file: The file.
        usual: Where such media usually lie.
        names: The names.

    Raises:
        DataError: The given folder is none.
    """
    if given is not None:
        folder = file.parent / Path(given).expanduser()
        if not folder.is_dir():
            raise DataError(f"`{folder}`, which `data.images` names, is no folder.")
        return folder
    first = list(islice(names, SOME))
    held = (folder for folder in (*usual, file.parent) if any(os.path.isfile(folder / name) for name in first))  # noqa: PTH113 (any name at all)
    return next(held, file.parent)


def unlike(file: Path, found: Mapping[T, object], key: T, where: str, what: str) -> None:
    """Raise where what must stand once in a document stands there again.

    Args:
        file: The document's file.
        found: What stands in it so far.
        key: What stands here.
        where: Where that is.
        what: In words.

    Raises:
        DataError: It is among what was found.
    """
    if key in found:
        raise DataError(f"`{file}` {where} is of {what} {quoted(key)}, as is one before: each must stand once.")
