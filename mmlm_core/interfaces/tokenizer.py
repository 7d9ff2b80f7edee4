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

    def pieces(self, begins: bool = False) -> list[bytes]:
        """Return what each id adds to a text, in UTF-8, for grammars, which are about characters and not about ids.

        An id that adds nothing by itself (a special one, or a part of a character) has no bytes; a tokenizer of such
        parts gives their bytes by a method of its own.

        Args:
            begins: Where the id is the first of a text, and not behind others.
        """
        specials = {self.pad, self.begin, self.end, self.unknown, self.mask}
        ordinary = [number for number in range(self.vocabulary) if number not in specials]
        before = [] if begins else [next(number for number in ordinary if self.decode([number]).strip("\ufffd "))]
        start = len(self.decode(before)) if before else 0
        made = [b""] * self.vocabulary
        for number in ordinary:
            text = self.decode([*before, number])[start:]
            made[number] = b"" if "\ufffd" in text else text.encode()
        return made

    def offsets(self, item: Any) -> list[tuple[int, int]]:
        """Return the part of an item that each id of `encode(item)` stands for: its begin and end, in characters.

        For heads that find places in a text. A tokenizer that gives them says `offsets` in its traits. A token may take
        in the space before it, and several tokens may share a character (its bytes); those of no width stand nowhere.
        """
        raise NotImplementedError(f"{type(self).__name__} gives no offsets: its traits must not say `offsets`.")

    def special(self, name: str) -> int:
        """Return the id of a special token that a part of the model asks for by its traits (`special_tokens`).

        The core adds such tokens behind the vocabulary, whichever the tokenizer; see `mmlm_core.vocabulary`.
        """
        raise LookupError(f"No part of the model asks for the special token `{name}` in its traits.")

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
