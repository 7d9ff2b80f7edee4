"""Bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tokenizers import Tokenizer as Library
from tokenizers import decoders, models, pre_tokenizers

from mmlm_text.fast import SPECIALS, FastTokenizer, byte_names, special
from mmlm_text.options import ByteOptions

__all__ = ["ByteTokenizer"]


class ByteTokenizer(FastTokenizer):
    """The bytes of UTF-8: byte b has the id 5 + b."""

    def __init__(self, options: ByteOptions) -> None:
        super().__init__()
        self.options = options
        self._adopt(self.make(iter(())).to_str())

    def train(self, corpus: Iterable[Any]) -> None:
        """Do nothing: the vocabulary is the same for every corpus."""
        del corpus

    def make(self, texts: Iterator[str]) -> Library:
        """Return the library's tokenizer: BPE without a merge."""
        del texts
        vocabulary = {token: i for i, token in enumerate([*SPECIALS, *byte_names()])}
        library = Library(models.BPE(vocab=vocabulary, merges=[]))
        library.add_special_tokens(special())
        library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        library.decoder = decoders.ByteLevel()
        return library
