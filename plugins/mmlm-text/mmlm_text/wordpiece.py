"""WordPiece."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat

from tokenizers import Tokenizer as Library
from tokenizers import models, trainers

from mmlm_text.counting import count_words
from mmlm_text.fast import SPECIALS, UNKNOWN, FastTokenizer, special
from mmlm_text.options import WordPieceOptions
from mmlm_text.patterns import marked, split, unmarked

__all__ = ["WordPieceTokenizer"]

_INSIDE = "##"
_LONGEST_WORD = 500  # characters; the model's search takes the square of it


class WordPieceTokenizer(FastTokenizer):
    """The longest piece first, as in BERT (Wu et al. 2016, Devlin et al. 2019), over words as in `patterns`.

    Unlike BERT's, decoding restores the text, spaces included.
    """

    def __init__(self, options: WordPieceOptions) -> None:
        super().__init__()
        self.options = options

    def make(self, texts: Iterator[str]) -> Library:
        """Return the library's tokenizer, trained on the texts."""
        normalizer, splitter = marked(self.options.lowercase), split(runs=False)
        counts = count_words(texts, normalizer, splitter)
        # The trainer numbers the characters inside of words in the order of a hash table, and breaks ties by number;
        # handed to it as special tokens, in order, they have the same numbers each time.
        inside = sorted({_INSIDE + character for word in counts for character in word[1:]})
        trainer = trainers.WordPieceTrainer(
            vocab_size=self.options.vocabulary,
            min_frequency=self.options.min_frequency,
            special_tokens=[*SPECIALS, *inside],
            continuing_subword_prefix=_INSIDE,
            show_progress=False,
        )
        trained = Library(models.WordPiece(unk_token=UNKNOWN))
        trained.train_from_iterator(chain.from_iterable(repeat(word, count) for word, count in counts.items()), trainer)
        library = Library(
            models.WordPiece(
                vocab=trained.get_vocab(),
                unk_token=UNKNOWN,
                continuing_subword_prefix=_INSIDE,
                max_input_chars_per_word=_LONGEST_WORD,
            )
        )
        library.normalizer = normalizer
        library.pre_tokenizer = splitter
        library.decoder = unmarked(_INSIDE)
        library.add_special_tokens(special())
        return library
