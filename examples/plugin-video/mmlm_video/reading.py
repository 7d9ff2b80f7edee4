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
    """Return some frames of a film, in RGB: the middle ones of as many equal shares of it.

    The film is decoded whole: what its header says of its length is often wrong, and seeking misses frames.

    Args:
        item: A path or the bytes of a file that FFmpeg reads, a mapping with `bytes` or `path` (as Hugging Face
            `datasets` stores files), or a sequence of PIL pictures.
        count: Frames at most.

    Raises:
        DataError: It is no film, has no picture track, or is cut off before its first frame ends.
    """
    name = _name(item)
    if isinstance(item, list | tuple):
        if not item or not all(isinstance(frame, Image.Image) for frame in item):
            raise DataError("A film that is a list must be one of PIL pictures, at least one.")
        return [frame.convert("RGB") for frame in _spread(list(item), count)]
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
    return [frame.to_image() for frame in _spread(_decoded(bytes(item), name), count)]


def _decoded(content: bytes, name: str) -> list[av.VideoFrame]:
    try:
        with av.open(BytesIO(content)) as film:
            if not film.streams.video:
                raise DataError(f"{name} has no picture track.")
            stream = film.streams.video[0]
            frames = list(film.decode(stream))
            told = stream.frames
    except av.FFmpegError as error:
        raise DataError(f"{name} cannot be read as a film: {error.strerror or error}.") from error
    if not frames:
        raise DataError(f"{name} cannot be read as a film: it has no frame.")
    if told and len(frames) < told:
        raise DataError(f"{name} is cut off: its header says {told} frames, and {len(frames)} are there.")
    return frames


def _spread(frames: list[Any], count: int) -> list[Any]:
    """Return `count` of the frames, the middle of equal shares; all where there are no more."""
    if len(frames) <= count:
        return frames
    return [frames[(2 * place + 1) * len(frames) // (2 * count)] for place in range(count)]


def _name(item: Any) -> str:
    if isinstance(item, dict) and item.get("path"):
        item = item["path"]
    return f"`{fspath(item)}`" if isinstance(item, str | PathLike) else "a film given as bytes"
