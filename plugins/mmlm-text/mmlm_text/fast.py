"""What all tokenizers on the `tokenizers` library share."""

from __future__ import annotations

import contextlib
import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, decoders
from tokenizers import Tokenizer as Library

from mmlm_core.errors import DataError, RunError
from mmlm_core.interfaces import Tokenizer

__all__ = ["BEGIN", "END", "FILE", "MASK", "PAD", "SPECIALS", "UNKNOWN", "FastTokenizer", "byte_names", "id_of",
           "serial", "special"]  # fmt: skip

PAD, BEGIN, END, UNKNOWN, MASK = SPECIALS = ("<pad>", "<begin>", "<end>", "<unknown>", "<mask>")
"""The special tokens, in the order of their ids, which begin at 0."""

FILE = "tokenizer.json"
_PARALLELISM = "TOKENIZERS_PARALLELISM"


class FastTokenizer(Tokenizer):
    """A tokenizer of texts whose vocabulary is a `tokenizer.json`. Subclasses say how it is made of a corpus.

    A text is only ever text: what spells a special token becomes ordinary tokens.
    """

    def __init__(self) -> None:
        self._json = ""
        self._library: Library | None = None
        self._vocabulary = 0
        self._specials: tuple[int, ...] = ()

    @abstractmethod
    def make(self, texts: Iterator[str]) -> Library:
        """Return the library's tokenizer, trained on the texts; its special tokens are among its added ones."""

    @property
    def vocabulary(self) -> int:
        """Number of ids, the special ones included."""
        self._ready()
        return self._vocabulary

    @property
    def pad(self) -> int:
        """Id of padding."""
        return self._special(0)

    @property
    def begin(self) -> int:
        """Id that stands before a generated sequence."""
        return self._special(1)

    @property
    def end(self) -> int:
        """Id that ends a sequence."""
        return self._special(2)

    @property
    def unknown(self) -> int:
        """Id of what the vocabulary does not hold."""
        return self._special(3)

    @property
    def mask(self) -> int:
        """Id that hides a token (masked language modelling)."""
        return self._special(4)

    def encode(self, item: Any) -> list[int]:
        """Return the text's ids, without `begin` and `end`.

        Raises:
            DataError: It is no text.
        """
        return self._ready().encode(_text(item), add_special_tokens=False).ids

    def offsets(self, item: Any) -> list[tuple[int, int]]:
        """See `Tokenizer.offsets`.

        Raises:
            DataError: It is no text.
        """
        return self._ready().encode(_text(item), add_special_tokens=False).offsets

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text that the ids stand for; special ids are left out."""
        return self._ready().decode([i for i in ids if i not in self._specials], skip_special_tokens=True)

    def pieces(self, begins: bool = False) -> list[bytes]:
        """See `Tokenizer.pieces`; byte-level vocabularies spell the bytes of each id."""
        library = self._ready()
        if not isinstance(library.decoder, decoders.ByteLevel):
            return super().pieces(begins)
        spelled = {name: byte for byte, name in enumerate(byte_names())}
        made = [b""] * self._vocabulary
        for number in set(range(self._vocabulary)) - set(self._specials):
            made[number] = bytes(spelled[letter] for letter in library.id_to_token(number) or "" if letter in spelled)
        return made

    def train(self, corpus: Iterable[Any]) -> None:
        """Make the vocabulary from a corpus; the same corpus always gives the same.

        Raises:
            DataError: The corpus is empty, or holds what is no text.
        """
        with serial():
            self._adopt(self.make(_texts(corpus)).to_str(pretty=True))

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json` into a folder."""
        self._ready()
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"{FILE}.unfinished"
        unfinished.write_text(self._json, encoding="utf-8")
        unfinished.replace(folder / FILE)

    def load(self, folder: Path) -> None:
        """Read the `tokenizer.json` of a folder.

        Raises:
            RunError: The file is missing or cannot be read.
        """
        path = folder / FILE
        try:
            self._adopt(path.read_text(encoding="utf-8"))
        except Exception as error:  # the library raises bare ones
            raise RunError(f"`{path}` cannot be read as a tokenizer: {error}.") from error

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the library's object, which loses its settings when it is pickled."""
        return {**self.__dict__, "_library": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state and make the library's object anew."""
        self.__dict__.update(state)
        if self._json:
            self._adopt(self._json)

    def _adopt(self, text: str) -> None:
        """Take the content of a `tokenizer.json` as the vocabulary."""
        library, self._specials = self._prepare(Library.from_str(text))
        self._json = library.to_str(pretty=True)
        self._vocabulary = max(library.get_vocab(with_added_tokens=True).values()) + 1
        self._library = self._guard(library)
        self._library.encode_special_tokens = True  # they are encoded as the text that they spell; no file keeps this

    def _prepare(self, library: Library) -> tuple[Library, tuple[int, ...]]:
        """Return the library's tokenizer with all special tokens, and their ids in the order of `SPECIALS`."""
        return library, tuple(id_of(library, token) for token in SPECIALS)

    def _guard(self, library: Library) -> Library:
        """Return the tokenizer such that no text becomes a special token; the words of `patterns` see to it."""
        return library

    def _ready(self) -> Library:
        if self._library is None:
            raise RunError("The tokenizer has no vocabulary yet: `train` it on a corpus, or `load` it from a folder.")
        return self._library

    def _special(self, place: int) -> int:
        self._ready()
        return self._specials[place]


def id_of(library: Library, token: str) -> int:
    """Return a special token's id.

    Raises:
        RunError: The vocabulary lacks it.
    """
    found = library.token_to_id(token)
    if found is None:
        raise RunError(f"it lacks the special token `{token}`")
    return found


def special(tokens: Sequence[str] = SPECIALS) -> list[AddedToken]:
    """Return special tokens as the library takes them."""
    return [AddedToken(token, special=True, normalized=False) for token in tokens]


def byte_names() -> list[str]:
    """Return the character that stands for each byte in byte-level vocabularies, in the order of the bytes.

    Printable bytes of Latin-1 stand for themselves, the others for the characters from 256 on (Radford et al. 2019).
    """
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


@contextlib.contextmanager
def serial() -> Iterator[None]:
    """Keep the library to one thread, unless the user's environment says how many it may have.

    Once it has used threads, it warns in every process that is forked later, such as a data worker, and gives up its
    threads there; it reads the environment at each use.
    """
    if _PARALLELISM in os.environ:
        yield
        return
    os.environ[_PARALLELISM] = "false"
    try:
        yield
    finally:
        del os.environ[_PARALLELISM]


def _texts(corpus: Iterable[Any]) -> Iterator[str]:
    """Yield the texts that are not empty, and raise where there is none."""
    empty = True
    for item in corpus:
        if _text(item):
            empty = False
            yield item
    if empty:
        raise DataError("The corpus is empty: there is no text to train a tokenizer on.")


def _text(item: Any) -> str:
    if not isinstance(item, str):
        raise DataError(f"A text must be a string, not {type(item).__name__}.")
    try:
        item.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"A text must be valid Unicode: it has half a surrogate pair at {error.start}.") from error
    return item
