"""sacreBLEU's metrics: BLEU and chrF."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from mmlm_writing.metrics.words import is_cjk, is_kana

__all__ = ["bleu", "chrf"]


def bleu(texts: Sequence[str], references: Sequence[Sequence[str]], tokenizer: str = "auto") -> float:
    """Return sacreBLEU's corpus BLEU, from 0 to 100 (Papineni et al. 2002, Post 2018).

    Args:
        texts: One a row.
        references: Of each row; not all rows need have as many.
        tokenizer: sacreBLEU's; `auto`: `zh` where most letters of the references are Chinese, `char` where they are
            Japanese, else `13a`.
    """
    from sacrebleu.metrics.bleu import BLEU

    name = _by_script(references) if tokenizer == "auto" else tokenizer
    return float(BLEU(tokenize=name, force=True).corpus_score(list(texts), _streams(references)).score)


def chrf(texts: Sequence[str], references: Sequence[Sequence[str]], word_order: int = 0) -> float:
    """Return sacreBLEU's corpus chrF, from 0 to 100; chrF++ where `word_order` is 2 (Popović 2015, 2017)."""
    from sacrebleu.metrics.chrf import CHRF

    return float(CHRF(word_order=word_order).corpus_score(list(texts), _streams(references)).score)


def _streams(references: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the first reference of every row, the second of every row, ...; None where a row has fewer."""
    return [list(stream) for stream in zip_longest(*references)]


def _by_script(references: Sequence[Sequence[str]]) -> str:
    letters = [character for texts in references for text in texts for character in text if character.isalpha()]
    if 2 * sum(map(is_cjk, letters)) <= len(letters):
        return "13a"
    return "char" if 10 * sum(map(is_kana, letters)) >= len(letters) else "zh"
