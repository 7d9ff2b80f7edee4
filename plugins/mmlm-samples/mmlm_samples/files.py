"""Where the embedded data files lie."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

__all__ = ["NAMES", "PARTS", "path"]

NAMES = ("dialogues", "emoji", "poems", "prose", "spam")
"""The data sets."""

PARTS = ("emoji_alpha",)
"""Files with more columns of a data set's rows, in the same order."""


def path(name: str) -> Path:
    """Return the Parquet file of an embedded data set.

    Args:
        name: One of `NAMES` or of `PARTS`.

    Raises:
        ValueError: There is no such data set.

    Example:
        >>> path("emoji").name
        'emoji.parquet'
    """
    if name not in (*NAMES, *PARTS):
        close = get_close_matches(name, NAMES, n=1)
        hint = f"; did you mean `{close[0]}`?" if close else ""
        raise ValueError(f"`{name}` must be one of {', '.join(NAMES)}{hint}")
    # Wheels are installed unpacked, so that the resource is a file of its own.
    return Path(str(files("mmlm_samples").joinpath("data", f"{name}.parquet")))
