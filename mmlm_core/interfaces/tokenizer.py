"""The contract of tokenizers. Imports no torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Tokenizer"]


class Tokenizer(ABC):
    """Turns one modality (text, or the codes of another) into discrete ids and back.

    A tokenizer is built as `Class(options)`; then it is either trained on a corpus or loaded from a folder. It is
    picklable, and works in data workers.

    Attributes:
        modality: What it reads and writes: `text`.
    """

    modality: str = "text"

    @property
    @abstractmethod
    def vocabulary(self) -> int:
        """Number of ids, the special ones included."""

    @property
    @abstractmethod
    def pad(self) -> int:
        """Id of padding."""

    @property
    @abstractmethod
    def begin(self) -> int:
        """Id that stands before a generated sequence."""

    @property
    @abstractmethod
    def end(self) -> int:
        """Id that ends a sequence."""

    @property
    @abstractmethod
    def unknown(self) -> int:
        """Id of what the vocabulary does not hold."""

    @property
    @abstractmethod
    def mask(self) -> int:
        """Id that hides a token (masked language modelling)."""

    @abstractmethod
    def encode(self, item: Any) -> list[int]:
        """Return the item's ids, without `begin` and `end`."""

    @abstractmethod
    def decode(self, ids: Sequence[int]) -> Any:
        """Return the item that the ids stand for; special ids are left out."""

    @abstractmethod
    def train(self, corpus: Iterable[Any]) -> None:
        """Make the vocabulary from a corpus. A tokenizer that needs no training does nothing.

        Raises:
            DataError: The corpus is empty.
        """

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the vocabulary into a folder, as the tokenizer's own standard file (`tokenizer.json`)."""

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Read the vocabulary that `save` wrote.

        Raises:
            RunError: The file is missing or cannot be read.
        """
