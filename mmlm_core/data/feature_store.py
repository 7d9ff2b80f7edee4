"""Tensors of items on disk, by what an item holds: read memory-mapped, written by any number of processes."""

from __future__ import annotations

import logging
import mmap
import os
import secrets
import shutil
import struct
import time
import zlib
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

__all__ = ["FeatureStore", "stores", "usage"]

RECORD = struct.Struct("<16sQQI")
"""What an index says of an item: its digest, where its tensors begin and how many bytes they are, their checksum."""

DATA, INDEX = ".data", ".index"
"""The two files of a shard."""

ENDED = "full"
"""The file that says that nothing more is written here."""

MEASURED = 1 << 26
"""Bytes that are written between two looks at how much there is."""

_log = logging.getLogger(__name__)


class FeatureStore:
    """The tensors of items in one folder, in shards: each was written by one process, and has an index beside it.

    A shard only grows. What its index does not name yet is not there, and what a killed process or a cut power has left
    half is known by its checksum; so nobody waits for anybody. Picklable: another process opens the files anew, and
    finds what was written since.

    Args:
        folder: Of this store; there may be other stores beside it, and folders that are none, which are left alone.
        most_bytes: What all these stores may hold together. Where it is reached, those that were not used for longest
            go first; where only this one is left, nothing more is written.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self.most_bytes = most_bytes
        self._places: dict[bytes, tuple[str, int, int, int]] = {}
        self._read: dict[str, int] = {}
        self._maps: dict[str, mmap.mmap] = {}
        self._shard = ""
        self._room = 0

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_places": {}, "_read": {}, "_maps": {}, "_shard": "", "_room": 0}

    def __len__(self) -> int:
        """Return how many items there are."""
        self._look()
        return len(self._places)

    @property
    def ended(self) -> bool:
        """Whether nothing more is written."""
        return (self.folder / ENDED).exists()

    def open(self) -> None:
        """Make the folder, note that it is used now, and let it be written again where there is room."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / ENDED).unlink(missing_ok=True)
        os.utime(self.folder)

    def find(self, digest: bytes) -> dict[str, Tensor] | None:
        """Return an item's tensors; None where they are not there, or damaged."""
        place = self._places.get(digest)
        if place is None:
            self._look()
            place = self._places.get(digest)
        if place is None:
            return None
        shard, offset, size, checksum = place
        content = self._content(shard, offset, size)
        if len(content) != size or zlib.crc32(content) != checksum:
            del self._places[digest]
            return None
        return load(content)

    def add(self, items: Mapping[bytes, Mapping[str, Tensor]]) -> None:
        """Write items that are not there yet; where there is no room, say so once and write no more."""
        new = {digest: save({name: tensor.contiguous() for name, tensor in tensors.items()})
               for digest, tensors in items.items() if digest not in self._places}  # fmt: skip
        size = sum(map(len, new.values()))
        if not new or self.ended:
            return
        try:
            if size > self._room and not self._make_room(size):
                return
            self._write(new)
            self._room -= size
        except OSError as error:
            self._end(f"they cannot be written: {error.strerror or error}")

    def _write(self, items: Mapping[bytes, bytes]) -> None:
        self._shard = self._shard or f"{time.time_ns():x}-{secrets.token_hex(4)}"
        records = []
        with (self.folder / f"{self._shard}{DATA}").open("ab") as data:
            for digest, content in items.items():
                place = data.tell(), len(content), zlib.crc32(content)
                self._places[digest] = (self._shard, *place)
                records.append(RECORD.pack(digest, *place))
                data.write(content)
        with (self.folder / f"{self._shard}{INDEX}").open("ab") as index:
            index.write(b"".join(records))

    def _make_room(self, size: int) -> bool:
        """Remove the other stores that were not used for longest until there is room, and return whether there is."""
        others = sorted(stores(self.folder), key=lambda path: path.stat().st_mtime)
        while (free := self.most_bytes - sum(map(_held, [self.folder, *others]))) < size and others:
            shutil.rmtree(others.pop(0), ignore_errors=True)
        self._room = min(free, MEASURED)
        if free < size:
            self._end(f"`loader.features_gib` is reached, {self.most_bytes / 2**30:g} GiB")
        return free >= size

    def _end(self, reason: str) -> None:
        _log.warning("No more features are kept in %s: %s. The others are computed anew.", self.folder, reason)
        with suppress(OSError):
            (self.folder / ENDED).touch()

    def _look(self) -> None:
        """Take in what the indices say that was not there before."""
        try:
            indices = [entry for entry in os.scandir(self.folder) if entry.name.endswith(INDEX)]
        except OSError:
            return
        for entry in indices:
            known = self._read.get(entry.name, 0)
            with suppress(OSError):
                if os.stat(entry.path).st_size - known >= RECORD.size:  # noqa: PTH116 (called for each new item)
                    content = Path(entry.path).read_bytes()[known:]
                    whole = len(content) - len(content) % RECORD.size
                    shard = entry.name.removesuffix(INDEX)
                    for digest, *place in RECORD.iter_unpack(content[:whole]):
                        self._places.setdefault(digest, (shard, *place))
                    self._read[entry.name] = known + whole

    def _content(self, shard: str, offset: int, size: int) -> bytes:
        """Return a part of a shard; fewer bytes where it ends before, none where it is gone."""
        mapped = self._maps.get(shard)
        if mapped is None or len(mapped) < offset + size:
            try:
                with (self.folder / f"{shard}{DATA}").open("rb") as file:
                    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except (OSError, ValueError):
                return b""
            self._maps[shard] = mapped
        return mapped[offset : offset + size]


def stores(beside: Path) -> list[Path]:
    """Return the folders of the other stores beside one: those that hold shards and nothing that no store writes."""
    others = (path for path in beside.parent.iterdir() if path.is_dir() and path != beside)
    return [path for path in others if _is_store([entry.name for entry in path.iterdir()])]


def _is_store(names: Collection[str]) -> bool:
    own = (DATA, INDEX, ENDED, ".json")  # what the store is about is written beside its shards
    return any(name.endswith(INDEX) for name in names) and all(name.endswith(own) for name in names)


def usage(folder: Path) -> int:
    """Return the bytes of all files under a folder."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size
    return total


def _held(store: Path) -> int:
    return store.stat().st_size + usage(store)
