"""Byte-level BPE."""

from __future__ import annotations

from collections.abc import Iterator

from tokenizers import Tokenizer as Library
from tokenizers import decoders, models, pre_tokenizers, trainers

from mmlm_text.fast import FastTokenizer, special
from mmlm_text.options import BpeOptions
from mmlm_text.patterns import plain

__all__ = ["BpeTokenizer"]


class BpeTokenizer(FastTokenizer):
    """Byte-pair encoding over bytes (Sennrich et al. 2016, Radford et al. 2019).

    GPT-2's pattern never puts letters and signs into one word, so no merge can make `<end>`.
    """

    def __init__(self, options: BpeOptions) -> None:
        super().__init__()
        self.options = options

    def make(self, texts: Iterator[str]) -> Library:
        """Return the library's tokenizer, trained on the texts."""
        library = Library(models.BPE())
        library.normalizer = plain(self.options.lowercase)
        library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        library.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=self.options.vocabulary,
            min_frequency=self.options.min_frequency,
            special_tokens=special(),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        library.train_from_iterator(texts, trainer)
        return library
