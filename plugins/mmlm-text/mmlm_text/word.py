"""Whole words."""

from __future__ import annotations

from collections.abc import Iterator

from tokenizers import Tokenizer as Library
from tokenizers import models, trainers

from mmlm_text.fast import UNKNOWN, FastTokenizer, special
from mmlm_text.options import WordOptions
from mmlm_text.patterns import marked, split, unmarked

__all__ = ["WordTokenizer"]


class WordTokenizer(FastTokenizer):
    """Words with the space before them, signs, and single characters of scripts without spaces; see `patterns`."""

    def __init__(self, options: WordOptions) -> None:
        super().__init__()
        self.options = options

    def make(self, texts: Iterator[str]) -> Library:
        """Return the library's tokenizer, trained on the texts."""
        library = Library(models.WordLevel(unk_token=UNKNOWN))
        library.normalizer = marked(self.options.lowercase)
        library.pre_tokenizer = split(runs=False)
        library.decoder = unmarked()
        trainer = trainers.WordLevelTrainer(
            vocab_size=self.options.vocabulary,
            min_frequency=self.options.min_frequency,
            special_tokens=special(),
            show_progress=False,
        )
        library.train_from_iterator(texts, trainer)
        return library
