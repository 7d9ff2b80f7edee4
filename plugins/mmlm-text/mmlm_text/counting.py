"""Counts the words of a corpus, for trainers that would otherwise depend on the order of a hash table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tokenizers.normalizers import Normalizer
from tokenizers.pre_tokenizers import PreTokenizer

__all__ = ["count_words"]


def count_words(texts: Iterable[str], normalizer: Normalizer, splitter: PreTokenizer) -> dict[str, int]:
    """Return how often each word stands in the texts, the words sorted."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
    return dict(sorted(counts.items()))
