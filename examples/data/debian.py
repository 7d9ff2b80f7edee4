"""Reads Debian packages, for the other scripts of this folder; fetches nothing."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

HEADER = 60
"""Bytes before each member of an `ar` archive, which a .deb is."""


def files_of(package: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of each file that a Debian package installs."""
    archive = package.read_bytes()
    if not archive.startswith(b"!<arch>\n"):
        raise SystemExit(f"`{package}` is no Debian package.")
    place = 8
    while place + HEADER <= len(archive):
        name = archive[place : place + 16].decode().strip().rstrip("/")
        size = int(archive[place + 48 : place + 58])
        content = archive[place + HEADER : place + HEADER + size]
        place += HEADER + size + size % 2
        if name.startswith("data.tar"):
            with tarfile.open(fileobj=io.BytesIO(content)) as opened:
                for member in opened:
                    file = opened.extractfile(member) if member.isfile() else None
                    if file is not None:
                        yield member.name, file.read()
