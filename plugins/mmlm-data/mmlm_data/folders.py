"""What the folders of files say: splits and classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmlm_data.splits import WORDS

__all__ = ["Constant", "relative", "split_of"]


@dataclass(frozen=True)
class Constant(Sequence[Any]):
    """A column that says the same in every row."""

    said: Any
    rows: int

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, place: Any) -> Any:
        if not 0 <= place < self.rows:
            raise IndexError(place)
        return self.said


def relative(root: Path, file: Path) -> str:
    """Return a file's path below a folder, with forward slashes."""
    return file.relative_to(root).as_posix()


def split_of(name: str) -> str | None:
    """Return the split that the first folder of a relative path says; None where it says none.

    Example:
        >>> split_of("valid/cat/1.png"), split_of("cat/1.png")
        ('validation', None)
    """
    first, slash, _ = name.partition("/")
    return WORDS.get(first.lower()) if slash else None
