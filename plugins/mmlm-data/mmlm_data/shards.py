"""Tar shards as WebDataset has them: members of one name, without their endings, are one sample."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmlm_core.errors import DataError
from mmlm_core.media import FilePart
from mmlm_data.media import modality_of
from mmlm_data.parts import check_columns
from mmlm_data.paths import files_at, openable

__all__ = ["Sample", "check_samples", "first_sample", "samples", "shards_at"]

SUFFIXES = (".tar", ".gz", ".tgz")

ENOUGH = 200
"""Samples by which it is told that a column is missing."""

NUMBERS = re.compile(r"\{(\d+)\.\.(\d+)\}")
"""A range of numbers in a name, as `{000..146}`."""


@dataclass
class Sample:
    """The members of one sample.

    Attributes:
        shard: The file.
        key: Their name without endings.
        members: The bytes of each, or where they lie in the shard, by ending.
    """

    shard: Path
    key: str
    members: dict[str, FilePart | bytes] = field(default_factory=dict)

    def value(self, column: str) -> Any:
        """Return what a column holds: media as they are, a text, a class's number, JSON; None where there is nothing.

        Raises:
            DataError: A member is no text in UTF-8, no number, or no JSON.
        """
        if column not in self.members:
            return self.row().get(column)
        member = self.members[column]
        if modality_of(f".{column}"):
            return member
        content = member.read() if isinstance(member, FilePart) else member
        ending = column.rpartition(".")[2]
        try:
            if ending == "json":
                return json.loads(content)
            text = content.decode("utf-8-sig").strip()
            return int(text) if ending in ("cls", "cls2", "index", "inx", "id") else text
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"`{self.shard}` has a member `{self.key}.{column}` that cannot be read: {error}."
            ) from error

    def row(self) -> dict[str, Any]:
        """Return what the sample's `.json` says, where there is one and it is an object."""
        found = self.value("json") if "json" in self.members else {}
        return found if isinstance(found, dict) else {}


def shards_at(path: str) -> list[Path]:
    """Return the shards of a path, in order.

    Raises:
        DataError: There are none.
    """
    found = NUMBERS.search(path)
    if found is None:
        return files_at(path, SUFFIXES)
    first, last = found.groups()
    numbers = range(int(first), int(last) + 1)
    if not numbers:
        raise DataError(f"`{found[0]}` of `{path}` is no range of numbers: the first must not be above the last.")
    return [file for number in numbers for file in shards_at(path.replace(found[0], f"{number:0{len(first)}}", 1))]


def samples(shard: Path) -> Iterator[Sample]:
    """Yield the samples of a shard; of a plain tar no content is read, of a compressed one all is.

    Raises:
        DataError: The shard is missing, is no tar, or is cut off; the sample in which it ends is not given.
    """
    sample = Sample(shard, "")
    try:
        with openable(shard), tarfile.open(shard, "r:*") as tar:
            plain = _is_plain(shard)
            while (member := tar.next()) is not None:
                tar.members = []  # type: ignore[attr-defined]  # else it would keep them all
                name = member.name.rpartition("/")[2]
                stem, _, ending = name.partition(".")
                if member.islnk() or member.issym():
                    raise DataError(f"`{shard}` has a member `{member.name}` that is a link to `{member.linkname}`: "
                                    "make the shard without links (`tar --hard-dereference`).")  # fmt: skip
                if not member.isfile() or not stem:  # a folder, or a file that is hidden
                    continue
                key = member.name[: len(member.name) - len(ending) - 1]
                if key != sample.key:
                    if sample.members:
                        yield sample
                    sample = Sample(shard, key)
                content = tar.extractfile(member)
                part = FilePart(str(shard), member.offset_data, member.size)
                sample.members[ending.lower()] = part if plain or content is None else content.read()
            if plain and _block(shard, tar.offset) != bytes(tarfile.BLOCKSIZE):  # which `tarfile` takes as an end
                raise tarfile.ReadError("the block of zeros is missing that ends it")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DataError(f"`{shard}` cannot be read to its end as a tar file: {error}. It may be cut off, or be copied "
                        "only in part.") from error  # fmt: skip
    if sample.members:
        yield sample


def check_samples(path: str, wanted: Mapping[str, str]) -> None:
    """Raise where the first samples of a path have none of what is wanted.

    Args:
        path: As `shards_at` takes it.
        wanted: Names of columns, each with the option that names it.

    Raises:
        DataError: There is no sample, or none of the first has a column.
    """
    found: dict[str, None] = {}
    faults: list[DataError] = []
    shards = shards_at(path)
    for number, sample in enumerate(_readable(shards, faults)):
        with suppress(DataError):
            found |= dict.fromkeys(sample.row())
        found |= dict.fromkeys(sample.members)
        if number + 1 >= ENOUGH or wanted.keys() <= found.keys():
            break
    if not found:
        raise (
            faults[0]
            if faults
            else DataError(f"`{path}` has no samples: there is no file in it with a name and an ending, as `0001.jpg`.")
        )
    check_columns(shards[0], list(found), wanted)


def _readable(shards: Sequence[Path], faults: list[DataError]) -> Iterator[Sample]:
    """Yield the samples of shards up to where each breaks off, and note that."""
    for shard in shards:
        try:
            yield from samples(shard)
        except DataError as error:
            faults.append(error)


def first_sample(path: str) -> Mapping[str, Any]:
    """Return the columns of the first sample, and what its JSON says.

    Raises:
        DataError: There is none.
    """
    sample = next(samples(shards_at(path)[0]), None)
    if sample is None:
        return {}
    row: dict[str, Any] = {}
    with suppress(DataError):
        row = sample.row()
    return row | dict.fromkeys(sample.members, "")


def _block(shard: Path, offset: int) -> bytes:
    with shard.open("rb") as file:
        file.seek(offset)
        return file.read(tarfile.BLOCKSIZE)


def _is_plain(shard: Path) -> bool:
    """Whether a tar is not compressed, so that its members lie in it as they are."""
    with shard.open("rb") as file:
        start = file.read(6)
    return not start.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ"))
