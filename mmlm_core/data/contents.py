"""What an item holds, as a digest: the same for the same content, wherever it lies."""

from __future__ import annotations

import hashlib
from os import PathLike
from typing import Any

__all__ = ["DIGEST_BYTES", "digest_of"]

DIGEST_BYTES = 16


def digest_of(item: Any) -> bytes | None:
    """Return a digest of an item's content; None where it is of no kind that is known, or cannot be read.

    Args:
        item: A path, bytes, a mapping of such with plain values, a PIL picture, or an array.

    Returns:
        `DIGEST_BYTES` bytes.
    """
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    try:
        known = _feed(digest, item)
    except (OSError, ValueError):  # a text that is no path may hold what no path can
        return None
    return digest.digest() if known else None


def _feed(digest: Any, item: Any) -> bool:
    if isinstance(item, bytes | bytearray | memoryview):
        digest.update(b"bytes")
        digest.update(item)
    elif isinstance(item, str | PathLike):
        with open(item, "rb") as file:  # noqa: PTH123 (a Path costs more than a small read)
            digest.update(b"bytes")
            digest.update(file.read())
    elif isinstance(item, dict):
        return _feed_mapping(digest, item)
    elif hasattr(item, "tobytes"):  # a PIL picture, an array
        palette = getattr(item, "palette", None)
        told = [getattr(item, name, None) for name in ("mode", "size", "format", "shape", "dtype")]
        digest.update(f"{type(item).__name__} {told} {getattr(item, 'info', None)!r}".encode())
        digest.update(b"" if palette is None else palette.tobytes())
        digest.update(item.tobytes())
    else:
        return False
    return True


def _feed_mapping(digest: Any, item: dict[Any, Any]) -> bool:
    """Take in a file as Hugging Face `datasets` stores it, its path only where there are no bytes; or named values."""
    if item.get("bytes") is not None:
        return _feed(digest, item["bytes"])
    if isinstance(item.get("path"), str) and "array" not in item:
        return _feed(digest, item["path"])
    for name in sorted(item, key=str):
        value = item[name]
        digest.update(f"{name}:".encode())
        if isinstance(value, bool | int | float | str | None):
            digest.update(repr(value).encode("utf-8", "surrogatepass"))
        elif not _feed(digest, value):
            return False
    return True
