"""The tokenizer of a composition, with the special tokens that parts of the model ask for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mmlm_core.composition import Composition
from mmlm_core.interfaces import Tokenizer

__all__ = ["ExtendedTokenizer", "extended", "make_tokenizer"]


class ExtendedTokenizer(Tokenizer):
    """Any tokenizer, with special tokens behind its vocabulary: no text is encoded as them, and decoding omits them.

    Their names are part of the composition, so the tokenizer's own file stays as it is, and goes with other heads.

    Args:
        tokenizer: The tokenizer.
        names: Of the special tokens, each once.
    """

    def __init__(self, tokenizer: Tokenizer, names: Sequence[str]) -> None:
        self.modality = tokenizer.modality
        self._tokenizer = tokenizer
        self._places = {name: place for place, name in enumerate(names)}

    @property
    def vocabulary(self) -> int:
        """Number of ids, the special ones included."""
        return self._tokenizer.vocabulary + len(self._places)

    @property
    def pad(self) -> int:
        """Id of padding."""
        return self._tokenizer.pad

    @property
    def begin(self) -> int:
        """Id that stands before a generated sequence."""
        return self._tokenizer.begin

    @property
    def end(self) -> int:
        """Id that ends a sequence."""
        return self._tokenizer.end

    @property
    def unknown(self) -> int:
        """Id of what the vocabulary does not hold."""
        return self._tokenizer.unknown

    @property
    def mask(self) -> int:
        """Id that hides a token."""
        return self._tokenizer.mask

    def encode(self, item: Any) -> list[int]:
        """Return the item's ids."""
        return self._tokenizer.encode(item)

    def decode(self, ids: Sequence[int]) -> Any:
        """Return the item that the ids stand for, without the special tokens."""
        return self._tokenizer.decode([number for number in ids if number < self._tokenizer.vocabulary])

    def pieces(self, begins: bool = False) -> list[bytes]:
        """See `Tokenizer.pieces`."""
        return self._tokenizer.pieces(begins) + [b""] * len(self._places)

    def offsets(self, item: Any) -> list[tuple[int, int]]:
        """See `Tokenizer.offsets`."""
        return self._tokenizer.offsets(item)

    def special(self, name: str) -> int:
        """See `Tokenizer.special`."""
        return self._tokenizer.vocabulary + self._places[name] if name in self._places else super().special(name)

    def train(self, corpus: Iterable[Any]) -> None:
        """Train the tokenizer."""
        self._tokenizer.train(corpus)

    def save(self, folder: Path) -> None:
        """Write the tokenizer's own file."""
        self._tokenizer.save(folder)

    def load(self, folder: Path) -> None:
        """Read the tokenizer's own file."""
        self._tokenizer.load(folder)


def extended(tokenizer: Tokenizer, names: Sequence[str]) -> Tokenizer:
    """Return a tokenizer with these special tokens; itself where there are none."""
    return ExtendedTokenizer(tokenizer, names) if names else tokenizer


def make_tokenizer(composition: Composition) -> Tokenizer | None:
    """Return the tokenizer, without a vocabulary yet; None where no part uses one."""
    if not composition.uses_tokenizer:
        return None
    return extended(composition["tokenizer"].make(), composition.special_tokens)
