"""Metrics of captions, each by its published implementation; libraries are imported when they are used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from mmlm_heads.words import is_cjk, is_kana, words

__all__ = ["bleu", "bleu_4_and_cider", "caption_metrics", "exact_match", "rouge_l", "token_f1"]


def caption_metrics(
    captions: Sequence[str], references: Sequence[Any], bleu_tokenizer: str = "auto"
) -> dict[str, float]:
    """Return all metrics of a split; nothing where it has no rows.

    - `bleu`: sacreBLEU's corpus BLEU, from 0 to 100 (Post 2018);
    - `bleu_4`, `cider`: of pycocoevalcap, from 0 to 1 and from 0 to 10, over `words` (Chen et al. 2015, Vedantam et al.
      2015; COCO's own server splits English by the Penn Treebank's rules and drops signs);
    - `rouge_l`: rouge-score's F1, from 0 to 1, without stemming, over `words` without signs (Lin 2004);
    - `exact_match`: the share of captions whose `words` equal a reference's; so case and spaces do not matter;
    - `token_f1`: the mean over rows of the F1 of their bags of `words`.

    Where a row has several references, `rouge_l`, `exact_match` and `token_f1` take the best of them.

    Args:
        captions: One a row.
        references: A text or a list of texts a row.
        bleu_tokenizer: sacreBLEU's tokenizer.
    """
    if not captions:
        return {}
    several = [[reference] if isinstance(reference, str) else list(reference) for reference in references]
    bleu_4, cider = bleu_4_and_cider(captions, several)
    return {
        "exact_match": exact_match(captions, several),
        "token_f1": token_f1(captions, several),
        "cider": cider,
        "rouge_l": rouge_l(captions, several),
        "bleu_4": bleu_4,
        "bleu": bleu(captions, several, bleu_tokenizer),
    }


def bleu(captions: Sequence[str], references: Sequence[Sequence[str]], tokenizer: str) -> float:
    """Return sacreBLEU's corpus BLEU, from 0 to 100."""
    from sacrebleu.metrics.bleu import BLEU

    name = _bleu_tokenizer(references) if tokenizer == "auto" else tokenizer
    streams = [list(stream) for stream in zip_longest(*references)]  # None where a row has fewer references
    return float(BLEU(tokenize=name, force=True).corpus_score(list(captions), streams).score)


def bleu_4_and_cider(captions: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Return pycocoevalcap's BLEU-4, from 0 to 1, and CIDEr, from 0 to 10, over words."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider

    given = {row: [" ".join(words(caption))] for row, caption in enumerate(captions)}
    wanted = {row: [" ".join(words(text)) for text in texts] for row, texts in enumerate(references)}
    bleus, _ = Bleu(4).compute_score(wanted, given, verbose=0)
    cider, _ = Cider().compute_score(wanted, given)
    return float(bleus[3]), float(cider)


def rouge_l(captions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the mean over rows of rouge-score's ROUGE-L F1."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], tokenizer=_RougeWords())
    rows = zip(captions, references, strict=True)
    return _mean([scorer.score_multi(texts, caption)["rougeL"].fmeasure for caption, texts in rows])


def exact_match(captions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the share of captions that have the words of a reference."""
    rows = zip(captions, references, strict=True)
    return _mean([any(words(caption) == words(text) for text in texts) for caption, texts in rows])


def token_f1(captions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the mean over rows of the F1 between the bag of a caption's words and that of the nearest reference."""
    rows = zip(captions, references, strict=True)
    return _mean([max(_f1(Counter(words(caption)), Counter(words(text))) for text in texts) for caption, texts in rows])


class _RougeWords:
    """What rouge-score asks for its words. On English they are those of its own rule, which drops other letters."""

    def tokenize(self, text: str) -> list[str]:
        return [word for word in words(text) if word[0].isalnum()]


def _bleu_tokenizer(references: Sequence[Sequence[str]]) -> str:
    letters = [character for texts in references for text in texts for character in text if character.isalpha()]
    if 2 * sum(map(is_cjk, letters)) <= len(letters):
        return "13a"
    return "char" if 10 * sum(map(is_kana, letters)) >= len(letters) else "zh"


def _f1(given: Counter[str], wanted: Counter[str]) -> float:
    return 2 * (given & wanted).total() / max(given.total() + wanted.total(), 1)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
