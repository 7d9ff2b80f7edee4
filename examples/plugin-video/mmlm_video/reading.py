"""From whatever a data source or a user gives to the frames of a film, checked."""

from __future__ import annotations

from io import BytesIO
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import av
from PIL import Image

from mmlm_core.errors import DataError

__all__ = ["load_frames"]


def load_frames(item: Any, count: int) -> list[Image.Image]:
    """Return some frames of a film, in RGB and upright: the middle ones of as many equal shares of it.

    The film is decoded whole, since seeking misses frames; those that are not asked for are let go.

    Args:
        item: A path or the bytes of a file that FFmpeg reads, a mapping with `bytes` or `path` (as Hugging Face
            `datasets` stores files), or a sequence of PIL pictures.
        count: Frames at most.

    Raises:
        DataError: It is no film, has no picture track, or is cut off (where its format shows that).
    """
    name = _name(item)
    if isinstance(item, list | tuple):
        if not item or not all(isinstance(frame, Image.Image) for frame in item):
            raise DataError("A film that is a list must be one of PIL pictures, at least one.")
        return [item[place].convert("RGB") for place in _places(len(item), count)]
    if isinstance(item, dict):
        item = item.get("bytes") or item.get("path")
    if isinstance(item, str | PathLike):
        try:
            item = Path(item).read_bytes()
        except OSError as error:
            raise DataError(f"{name} cannot be opened: {error.strerror or error}.") from error
    if not isinstance(item, bytes | bytearray | memoryview):
        raise DataError(f"A film must be a path, bytes or pictures, not {type(item).__name__}.")
    if not len(item):
        raise DataError(f"{name} is empty: zero bytes.")
    try:
        return _decoded(bytes(item), name, count)
    except av.FFmpegError as error:
        raise DataError(f"{name} cannot be read as a film: {error.strerror or error}.") from error


def _decoded(content: bytes, name: str, count: int, length: int = 0) -> list[Image.Image]:
    """Return frames of a file.

    Args:
        content: The file's.
        name: The film's, for messages.
        count: Frames at most.
        length: Frames that the film has; 0: what its header says, and if that is wrong, it is decoded once more.
    """
    found, taken = 0, []
    with av.open(BytesIO(content), "r") as film:
        if not film.streams.video:
            raise DataError(f"{name} has no picture track.")
        stream = film.streams.video[0]
        length = length or stream.frames
        places = set(_places(length, count))
        for packet in film.demux(stream):
            if packet.is_corrupt:
                raise DataError(f"{name} is cut off after {found:,} frames.")
            for frame in packet.decode():
                if found in places:
                    picture = frame.to_image()  # type: ignore[no-untyped-call]
                    taken.append(picture.rotate(frame.rotation, expand=True))  # as telephones film
                found += 1
    if not found:
        raise DataError(f"{name} cannot be read as a film: it has no frame.")
    return taken if found == length else _decoded(content, name, count, found)


def _places(length: int, count: int) -> list[int]:
    """Return the middle of each of `count` equal shares; every place where there are no more."""
    if length <= count:
        return list(range(length))
    return [(2 * share + 1) * length // (2 * count) for share in range(count)]


def _name(item: Any) -> str:
    if isinstance(item, dict) and item.get("path"):
        item = item["path"]
    return f"`{fspath(item)}`" if isinstance(item, str | PathLike) else "a film given as bytes"
