"""The head `translation`: a text in another language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmlm_writing.metrics.agreement import exact_match, listed
from mmlm_writing.metrics.sacre import bleu, chrf
from mmlm_writing.options import TranslationOptions
from mmlm_writing.text_head import TextHead

__all__ = ["Translation"]


class Translation(TextHead[TranslationOptions]):
    """Learns to write translations; a row may have several.

    The better model is the one with the higher `chrf`, which moves before `bleu` does: that is 0 until four words stand
    right in a row.
    """

    monitor = ("chrf", "max")

    def measure(self, texts: Sequence[str], references: Sequence[Any]) -> dict[str, float]:
        """Return sacreBLEU's `bleu` and `chrf`, from 0 to 100, and `exact_match`, the share that equals a reference."""
        several, options = listed(references), self.options
        return {
            "bleu": bleu(texts, several, options.bleu_tokenizer),
            "chrf": chrf(texts, several, options.chrf_words),
            "exact_match": exact_match(texts, several),
        }
