"""Characters."""

from __future__ import annotations

from collections.abc import Iterator

from tokenizers import Regex, decoders, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as Library

from mmlm_text.fast import UNKNOWN, FastTokenizer, special
from mmlm_text.options import CharOptions
from mmlm_text.patterns import plain

__all__ = ["CharTokenizer"]


class CharTokenizer(FastTokenizer):
    """Unicode's code points, the most frequent first."""

    def __init__(self, options: CharOptions) -> None:
        super().__init__()
        self.options = options

    def make(self, texts: Iterator[str]) -> Library:
        """Return the library's tokenizer, trained on the texts."""
        library = Library(models.WordLevel(unk_token=UNKNOWN))
        library.normalizer = plain(self.options.lowercase)
        library.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
        library.decoder = decoders.Fuse()
        trainer = trainers.WordLevelTrainer(
            vocab_size=self.options.vocabulary,
            min_frequency=self.options.min_frequency,
            special_tokens=special(),
            show_progress=False,
        )
        library.train_from_iterator(texts, trainer)
        return library
