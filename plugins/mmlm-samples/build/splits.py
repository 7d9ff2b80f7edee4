"""Splits that depend on nothing but the key of a row, so that they stay when rows are added."""

from __future__ import annotations

import hashlib

__all__ = ["bucket", "split_of"]


def bucket(key: str, buckets: int, salt: str) -> int:
    """Return the key's place among `buckets` equally likely ones; another salt gives an independent draw."""
    return int.from_bytes(hashlib.sha256(f"{salt}:{key}".encode()).digest()[:8], "big") % buckets


def split_of(key: str, salt: str, test: int, validation: int, buckets: int = 20) -> str:
    """Return `train`, `validation` or `test`.

    Args:
        key: What must not be torn apart; rows of one key share a split.
        salt: Names the data set.
        test: How many of the buckets are for testing.
        validation: How many of the buckets are for validation.
        buckets: How many buckets there are.
    """
    place = bucket(key, buckets, salt)
    if place < test:
        return "test"
    return "validation" if place < test + validation else "train"
