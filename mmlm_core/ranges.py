"""Ranges of numeric options: checked in an options dataclass's `__post_init__`, and told of to whoever asks."""

from __future__ import annotations

import math
from contextvars import ContextVar

from mmlm_core.errors import OptionError

__all__ = ["check_range", "option_ranges", "range_words"]

Range = tuple[float | None, float | None]

_noted: ContextVar[dict[tuple[type, str], Range] | None] = ContextVar("_noted", default=None)
"""Where checks are noted while `option_ranges` asks for them."""


def check_range(owner: object, name: str, low: float | None = None, high: float | None = None) -> None:
    """Check that a numeric option lies within its range, in an options dataclass's `__post_init__`; a word has none.

    Args:
        owner: The options.
        name: The field.
        low: The least value, included; None where there is none.
        high: The greatest value, included; None where there is none.

    Raises:
        OptionError: It does not.
    """
    noted = _noted.get()
    if noted is not None:
        noted[type(owner), name] = (low, high)
    value = getattr(owner, name)
    if isinstance(value, float) and math.isinf(value):
        raise OptionError(f"`{name}` must be a finite number, not {value}.")
    if value is None or isinstance(value, str) or ((low is None or value >= low) and (high is None or value <= high)):
        return
    raise OptionError(f"`{name}` must be {range_words(low, high)}, not {value}.")


def option_ranges(schema: type) -> dict[str, Range]:
    """Return the ranges that an options dataclass checks, by option: the least and the greatest value, or None.

    They are what `check_range` is called with while the defaults are checked, so that they stand in one place only.
    """
    noted: dict[tuple[type, str], Range] = {}
    token = _noted.set(noted)
    try:
        schema()
    finally:
        _noted.reset(token)
    return {name: bounds for (owner, name), bounds in noted.items() if owner is schema}


def range_words(low: float | None, high: float | None) -> str:
    """Return a range as words that follow "must be"."""
    return f"at least {low}" if high is None else f"at most {high}" if low is None else f"from {low} to {high}"
