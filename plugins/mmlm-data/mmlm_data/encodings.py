"""The content of text files as UTF-8, whatever their encoding, and what is wrong with it where it is not."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa

from mmlm_core.errors import DataError
from mmlm_data.spool import SMALL, spooled

__all__ = ["head", "text_of", "utf8", "utf8_file"]

BLOCK = 1 << 24
"""Bytes that are looked at at once."""

HEAD = 1 << 20
"""Bytes of a file's beginning, by which its columns are told."""


def head(path: Path, encoding: str) -> str:
    """Return the beginning of a text file, decoded as well as it can be."""
    with path.open("rb") as file:
        return codecs.getincrementaldecoder(encoding)("replace").decode(file.read(HEAD)).removeprefix("\ufeff")


def utf8(path: Path, encoding: str) -> pa.Buffer:
    """Return a text file's content in UTF-8, memory-mapped, without a byte order mark.

    Raises:
        DataError: It is not in this encoding; the message says where, and what may help.
    """
    path = utf8_file(path, encoding)
    content = _mapped(path)
    return content[len(codecs.BOM_UTF8) :] if content[:3].to_pybytes() == codecs.BOM_UTF8 else content


def utf8_file(path: Path, encoding: str) -> Path:
    """Return a file with a text file's content in UTF-8: itself, where that is its encoding.

    Raises:
        DataError: It is not in this encoding; the message says where, and what may help.
    """
    if codecs.lookup(encoding).name in ("utf-8", "utf-8-sig"):
        _check_utf8(path)
        return path
    return spooled(path, f"utf-8 of {encoding}", lambda made: _transcode(path, encoding, made))


def _mapped(path: Path) -> pa.Buffer:
    if path.stat().st_size <= SMALL:  # so that whoever changes the file changes nothing of what was read
        return pa.py_buffer(path.read_bytes())
    with pa.memory_map(str(path)) as file:
        return file.read_buffer()


def _transcode(path: Path, encoding: str, made: Path) -> None:
    """Write a text file's content as UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file, made.open("wb") as written:
        for start, block in _blocks(file):
            waiting = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block, final=len(block) < BLOCK)
            except UnicodeDecodeError as error:
                raise DataError(
                    f"`{path}` is not in the encoding `{encoding}`, which `data.encoding` names: "
                    f"{_byte(error)} at offset {start - waiting + error.start} is not valid there."
                ) from None
            written.write(text.encode("utf-8", "surrogatepass"))


def _check_utf8(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(4096)
        wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or start.count(0) > len(start) // 4
        if b"\0" in start and not wide:
            raise DataError(f"`{path}` is no text: it has a zero byte at offset {start.index(0)}.")
        if wide:
            offset = 0 if b"\0" not in start else start.index(0)
            raise DataError(
                f"`{path}` is not in UTF-8 but, by its first bytes, in UTF-16 (zero byte at offset {offset}). "
                f"Say `data.encoding=utf-16`, or convert it: `iconv -f UTF-16 -t UTF-8 {path.name} > new{path.suffix}`."
            )
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        for place, block in _blocks(file):
            waiting = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=len(block) < BLOCK)
            except UnicodeDecodeError as error:
                raise DataError(
                    f"`{path}` is not in UTF-8: {_byte(error)} at offset {place - waiting + error.start} is not valid "
                    "there. Say its encoding, as `data.encoding=gb18030` (Chinese) or `data.encoding=latin-1` "
                    f"(Western European), or convert it: `iconv -f GB18030 -t UTF-8 {path.name} > new{path.suffix}`."
                ) from None


def _blocks(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the blocks of a file, each with its offset; the last is shorter than the others, maybe empty."""
    start, block = 0, file.read(BLOCK)
    while len(block) == BLOCK:
        yield start, block
        start, block = start + BLOCK, file.read(BLOCK)
    yield start, block


def _byte(error: UnicodeDecodeError) -> str:
    return f"the byte 0x{error.object[error.start]:02X}"


def text_of(content: pa.Buffer) -> io.TextIOWrapper:
    """Return UTF-8 content as lines of text, whose ends stay as they are."""
    return io.TextIOWrapper(io.BufferedReader(pa.BufferReader(content)), encoding="utf-8", newline="")
