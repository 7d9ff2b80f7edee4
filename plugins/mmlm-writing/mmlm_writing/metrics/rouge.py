"""ROUGE, by rouge-score."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_writing.metrics.agreement import mean
from mmlm_writing.metrics.words import words

__all__ = ["ROUGES", "rouge"]

ROUGES = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"}
"""Our names of what rouge-score calls otherwise: words, pairs of words, the longest common subsequence."""


def rouge(
    texts: Sequence[str], references: Sequence[Sequence[str]], kinds: Sequence[str], stem: bool = False
) -> dict[str, float]:
    """Return the mean over rows of rouge-score's F1, from 0 to 1, against the best reference (Lin 2004).

    Args:
        texts: One a row.
        references: Of each row.
        kinds: Some of `ROUGES`.
        stem: Compare the stems of English words, as rouge-score's `use_stemmer`.
    """
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer([ROUGES[kind] for kind in kinds], tokenizer=_Words(stem))
    scores = [scorer.score_multi(several, text) for text, several in zip(texts, references, strict=True)]
    return {kind: mean([score[ROUGES[kind]].fmeasure for score in scores]) for kind in kinds}


class _Words:
    """What rouge-score asks for its words. On English they are those of its own rule, which drops other letters."""

    def __init__(self, stem: bool) -> None:
        from nltk.stem.porter import PorterStemmer

        self._stemmer = PorterStemmer() if stem else None

    def tokenize(self, text: str) -> list[str]:
        found = [word for word in words(text) if word[0].isalnum()]
        if self._stemmer is None:
            return found
        return [self._stemmer.stem(word) if len(word) > 3 else word for word in found]  # as rouge-score does
