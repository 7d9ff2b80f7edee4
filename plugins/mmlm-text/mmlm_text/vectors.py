"""Reads files of word vectors: Word2Vec's (text and binary), GloVe's, and fastText's `.vec`."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import torch
from torch import Tensor

from mmlm_core.errors import DataError

__all__ = ["Vectors", "read_vectors"]

FASTTEXT_BINARY = (793712314).to_bytes(4, "little")
"""What fastText's own `.bin` begins with."""

LOOKED_AT = 4096
"""Bytes behind a header that tell a text from a binary file."""


@dataclass(frozen=True)
class Vectors:
    """The vectors of the words that were asked for.

    Attributes:
        width: Values of a vector.
        of: Vectors by word; of a word that stands twice, the first. Shape of each: [width].
    """

    width: int
    of: dict[str, Tensor]


def read_vectors(path: str, wanted: Collection[str]) -> Vectors:
    """Return the vectors of some words; the whole file is read and checked, and what is not wanted is not kept.

    A file whose first line is two whole numbers has a header, as Word2Vec and fastText write it: how many vectors there
    are, and how many values each has. What follows is text, a word and its values a line, or binary: a word, a space,
    and its values as 32-bit floats. GloVe's files have no header. A file may be compressed (`.gz`).

    Args:
        path: The file.
        wanted: The words.

    Raises:
        DataError: The file is missing, empty, truncated, of another format, or its header does not tell the truth.
    """
    given = Path(path)
    if not given.is_file():
        raise DataError(f"`vectors` must be a file, but there is none at `{path}`.")
    try:
        with gzip.open(given) if given.suffix == ".gz" else given.open("rb") as file:
            return _read(cast("BinaryIO", file), path, frozenset(wanted))
    except (OSError, EOFError, zlib.error) as error:  # also of a gzip file that is broken or truncated
        raise DataError(f"`{path}` cannot be read: {error}.") from error


def _read(file: BinaryIO, path: str, wanted: frozenset[str]) -> Vectors:
    first = file.readline()
    if not first.strip():
        raise DataError(f"`{path}` is empty: it holds no vectors.")
    if first.startswith(FASTTEXT_BINARY):
        raise DataError(f"`{path}` is fastText's own model; its vectors are in the `.vec` file beside it.")
    header = first.split()
    if len(header) != 2 or not all(part.isdigit() for part in header):
        width = len(first.split()) - 1
        if width < 1:
            raise DataError(f"`{path}` holds no vectors: its first line is neither a header nor a word with values.")
        file.seek(0)
        rows = _text_rows(file, path, width, wanted, 1)
        count = None
    else:
        count, width = int(header[0]), int(header[1])
        if not count or not width:
            raise DataError(f"`{path}` has a header that says {count:,} vectors of {width} values: there are none.")
        place = file.tell()
        text = _is_text(file.read(LOOKED_AT))
        file.seek(place)
        rows = _text_rows(file, path, width, wanted, 2) if text else _binary_rows(file, path, width, wanted, count)
    vectors: dict[str, Tensor] = {}
    read = 0
    for word, values in rows:
        read += 1
        if values is not None:
            vectors.setdefault(word, values)
    if count is not None and read != count:
        kind = "is truncated" if read < count else "has a wrong header"
        raise DataError(f"`{path}` {kind}: it has {read:,} vectors, and its header says {count:,}.")
    return Vectors(width, vectors)


def _is_text(behind: bytes) -> bool:
    """Whether what follows a header is text; the last character may be cut."""
    try:
        said = behind.decode()
    except UnicodeDecodeError as error:
        if error.start < len(behind) - 3:
            return False
        said = behind[: error.start].decode()
    return all(character.isprintable() or character in "\t\r\n" for character in said[:LOOKED_AT])


def _text_rows(
    file: BinaryIO, path: str, width: int, wanted: frozenset[str], number: int
) -> Iterator[tuple[str, Tensor | None]]:
    """Yield each line's word, with its values where it is wanted. A word may hold spaces."""
    for number, line in enumerate(file, number):  # noqa: B020 (the first line's number, then each one's)
        content = line.rstrip()
        spaces = content.count(b" ")
        if spaces < width:
            what = "is truncated" if not line.endswith(b"\n") else "is no file of vectors, or has a wrong header"
            raise DataError(f"`{path}` {what}: line {number:,} has {spaces} values, not {width}.")
        word, *values = content.split(b" ") if spaces == width else content.rsplit(b" ", width)
        name = word.decode("utf-8", "replace")
        yield name, _numbers(values, path, number) if name in wanted else None


def _numbers(values: list[bytes], path: str, number: int) -> Tensor:
    try:
        numbers = [float(value) for value in values]
    except ValueError as error:
        raise DataError(f"`{path}` holds what is no number in line {number:,}: {error}.") from error
    if not all(map(math.isfinite, numbers)):
        raise DataError(f"`{path}` holds a number in line {number:,} that is not finite.")
    return torch.tensor(numbers)


def _binary_rows(
    file: BinaryIO, path: str, width: int, wanted: frozenset[str], count: int
) -> Iterator[tuple[str, Tensor | None]]:
    """Yield each word, with its values where it is wanted. Some programs end a vector with a line feed, some do not."""
    size = 4 * width
    for number in range(1, count + 1):
        word = bytearray()
        while (byte := file.read(1)) != b" ":
            if not byte:
                raise DataError(f"`{path}` is truncated: it ends in vector {number:,} of {count:,}.")
            if byte != b"\n":
                word += byte
        content = file.read(size)
        if len(content) < size:
            raise DataError(f"`{path}` is truncated: it ends in vector {number:,} of {count:,}.")
        name = word.decode("utf-8", "replace")
        if name not in wanted:
            yield name, None
            continue
        values = torch.frombuffer(bytearray(content), dtype=torch.float32).clone()
        if not values.isfinite().all():
            raise DataError(f"`{path}` holds a number in vector {number:,} that is not finite: has it {width} values a "
                            "vector, as its header says?")  # fmt: skip
        yield name, values
    if file.read(2).strip():
        raise DataError(f"`{path}` has a wrong header: there is more behind the {count:,} vectors that it says.")
