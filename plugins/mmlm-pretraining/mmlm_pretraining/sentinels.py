"""The special tokens that stand for hidden spans. Imports no torch."""

from __future__ import annotations

import re

__all__ = ["sentinels", "spans_of"]

_NAME = re.compile(r"<extra_id_\d+>")


def sentinels(count: int) -> tuple[str, ...]:
    """Return the names of sentinels, in order, as T5 calls them."""
    return tuple(f"<extra_id_{number}>" for number in range(count))


def spans_of(text: str) -> dict[str, str]:
    """Return what stands behind each sentinel of a text, without the space around it; of one that repeats, the first.

    Example:
        >>> spans_of("<extra_id_0> brown fox <extra_id_1> dog")
        {'<extra_id_0>': 'brown fox', '<extra_id_1>': 'dog'}
    """
    found: dict[str, str] = {}
    for name, span in zip(_NAME.findall(text), _NAME.split(text)[1:], strict=True):
        found.setdefault(name, span.strip())
    return found
