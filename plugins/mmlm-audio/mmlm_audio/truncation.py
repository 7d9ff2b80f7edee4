"""Whether the bytes of a sound end before its format says; libsndfile reads what there is, and says nothing."""

from __future__ import annotations

import struct

__all__ = ["missing_bytes"]

_UNKNOWN = (0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFFFDB)
"""Sizes that programs write which stream a sound and do not know its length."""


def missing_bytes(content: bytes) -> str:
    """Return what is missing of a WAV, AIFF or Ogg file, as the end of a sentence; empty where nothing is."""
    if content[:4] in (b"RIFF", b"RIFX", b"FORM"):
        return _of_chunks(content)
    return _of_ogg(content) if content[:4] == b"OggS" else ""


def _of_chunks(content: bytes) -> str:
    """Follow the chunks of a RIFF or IFF file to its samples (Microsoft and IBM 1991; Electronic Arts 1985)."""
    order = "<" if content[:4] == b"RIFF" else ">"
    place = 12
    while place + 8 <= len(content):
        kind, size = content[place : place + 4], struct.unpack_from(f"{order}I", content, place + 4)[0]
        if kind in (b"data", b"SSND"):
            there = len(content) - place - 8
            lacking = size not in _UNKNOWN and there < size
            return f"{there:,} of {size:,} bytes of samples are there" if lacking else ""
        place += 8 + size + size % 2
    return "it ends before its samples begin"


def _of_ogg(content: bytes) -> str:
    """Look at the last page, which is marked as the last (RFC 3533)."""
    last = content.rfind(b"OggS")
    if last + 27 > len(content):
        return "it ends within a page"
    segments = content[last + 27 : last + 27 + content[last + 26]]
    if last + 27 + content[last + 26] + sum(segments) > len(content):
        return "it ends within a page"
    return "" if content[last + 5] & 4 else "its last page is missing"
