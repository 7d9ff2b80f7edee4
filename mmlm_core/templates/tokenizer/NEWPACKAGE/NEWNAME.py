"""The tokenizer `NEWNAME`. Imports no torch."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mmlm_core.errors import DataError, RunError
from mmlm_core.interfaces.tokenizer import Tokenizer

from NEWPACKAGE.plugin import NEWCLASSOptions

__all__ = ["NEWCLASSTokenizer"]

FILE = "tokenizer.json"
PIECE = re.compile(r" ?\w+|[\s\S]")  # every character is in one piece, so that pieces make the text again
SPECIALS = 5


class NEWCLASSTokenizer(Tokenizer):
    """Looks pieces of a text up in a list. The special ids come first and stand for no piece.

    Args:
        options: The options.
    """

    pad, begin, end, unknown, mask = range(SPECIALS)

    def __init__(self, options: NEWCLASSOptions) -> None:
        self.options = options
        self._pieces: list[str] = []
        self._ids: dict[str, int] = {}

    @property
    def vocabulary(self) -> int:
        """Number of ids, the special ones included."""
        self._check_ready()
        return SPECIALS + len(self._pieces)

    def encode(self, item: Any) -> list[int]:
        """Return the ids of a text's pieces."""
        self._check_ready()
        return [self._ids.get(piece, self.unknown) for piece in PIECE.findall(_text(item))]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text that the ids stand for; special ids are left out."""
        self._check_ready()
        return "".join(self._pieces[number - SPECIALS] for number in ids if number >= SPECIALS)

    def train(self, corpus: Iterable[Any]) -> None:
        """Take the most frequent pieces of a corpus; of those that are equally frequent, the first in order.

        Raises:
            DataError: The corpus is empty, or holds what is no text.
        """
        counts = Counter(piece for item in corpus for piece in PIECE.findall(_text(item)))
        if not counts:
            raise DataError("The corpus is empty: there is no text to train a tokenizer on.")
        frequent = sorted((-count, piece) for piece, count in counts.items() if count >= self.options.min_frequency)
        self._take([piece for _, piece in frequent[: self.options.vocabulary - SPECIALS]])

    def save(self, folder: Path) -> None:
        """Write the pieces into a folder."""
        self._check_ready()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps({"pieces": self._pieces}, ensure_ascii=False), encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Read the pieces that `save` wrote.

        Raises:
            RunError: The file is missing or cannot be read.
        """
        path = folder / FILE
        try:
            self._take([str(piece) for piece in json.loads(path.read_text(encoding="utf-8"))["pieces"]])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise RunError(f"`{path}` cannot be read as a tokenizer: {error}.") from error

    def _take(self, pieces: list[str]) -> None:
        self._pieces = pieces
        self._ids = {piece: SPECIALS + number for number, piece in enumerate(pieces)}

    def _check_ready(self) -> None:
        if not self._pieces:
            raise RunError("The tokenizer has no vocabulary yet: `train` it on a corpus, or `load` it from a folder.")


def _text(item: Any) -> str:
    if not isinstance(item, str):
        raise DataError(f"A text must be a string, not {type(item).__name__}.")
    return item
