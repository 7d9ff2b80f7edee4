"""Files that are made of other files once and kept, so that what is large is memory-mapped and not loaded."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mmlm_core.errors import DataError
from mmlm_core.files import cache_folder

__all__ = ["SMALL", "spooled"]

SMALL = 1 << 26
"""Bytes up to which a file's content is held in memory as it is: 64 MiB."""


def spooled(source: Path, recipe: str, make: Callable[[Path], None]) -> Path:
    """Return a file made of another one; it is made anew only where that one has changed.

    It lies in the user's folder for caches (`XDG_CACHE_HOME`, or `~/.cache`), under `mmlm/data`, and can be deleted at
    any time.

    Args:
        source: The file that it is made of.
        recipe: What is made of it, with every choice that changes the content.
        make: Writes the file at the path that it is given.

    Raises:
        DataError: There is no room for it.
    """
    path, stat = source.resolve(), source.stat()
    what = f"{path}\n{stat.st_size}\n{stat.st_mtime_ns}\n{recipe}"
    name = hashlib.blake2b(what.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    made = cache_folder("data") / name
    if not made.exists():
        handle, temporary = tempfile.mkstemp(dir=made.parent, prefix=f"{name}-")
        os.close(handle)
        try:
            make(Path(temporary))
            os.replace(temporary, made)  # noqa: PTH105 (whole or not at all; another process may do the same)
        except OSError as error:
            raise DataError(
                f"`{source}` is too large for the memory, and cannot be laid down in `{made.parent}`: "
                f"{error.strerror or error}. Set `XDG_CACHE_HOME` to a folder with room."
            ) from error
        finally:
            with suppress(FileNotFoundError):
                Path(temporary).unlink()
    return made
