"""Unigram pieces."""

from __future__ import annotations

from collections.abc import Iterator

from tokenizers import Tokenizer as Library
from tokenizers import models

from mmlm_text.counting import count_words
from mmlm_text.fast import SPECIALS, UNKNOWN, FastTokenizer, special
from mmlm_text.options import UnigramOptions
from mmlm_text.patterns import marked, split, unmarked
from mmlm_text.unigram_training import train_unigram

__all__ = ["UnigramTokenizer"]


class UnigramTokenizer(FastTokenizer):
    """The likeliest split under a unigram language model of pieces (Kudo 2018), within words as in `patterns`.

    The pieces are trained by `unigram_training`, since the library's trainer gives others each time.
    """

    def __init__(self, options: UnigramOptions) -> None:
        super().__init__()
        self.options = options

    def make(self, texts: Iterator[str]) -> Library:
        """Return the library's tokenizer, trained on the texts."""
        normalizer, splitter = marked(self.options.lowercase), split(runs=True)
        counts = count_words(texts, normalizer, splitter)
        pieces = train_unigram(counts, self.options.vocabulary - len(SPECIALS))
        specials = [(token, 0.0) for token in SPECIALS]
        library = Library(models.Unigram([*specials, *pieces], unk_id=SPECIALS.index(UNKNOWN)))
        library.normalizer = normalizer
        library.pre_tokenizer = splitter
        library.decoder = unmarked()
        library.add_special_tokens(special())
        return library
