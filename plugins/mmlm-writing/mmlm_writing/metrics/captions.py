"""Metrics of captions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmlm_writing.metrics.agreement import exact_match, listed, token_f1
from mmlm_writing.metrics.rouge import rouge
from mmlm_writing.metrics.sacre import bleu
from mmlm_writing.metrics.words import words

__all__ = ["bleu_4_and_cider", "caption_metrics"]


def caption_metrics(
    captions: Sequence[str], references: Sequence[Any], bleu_tokenizer: str = "auto"
) -> dict[str, float]:
    """Return all metrics of a split; nothing where it has no rows.

    - `sacrebleu`: sacreBLEU's corpus BLEU, from 0 to 100 (Post 2018), over its own tokens;
    - `bleu_4`, `cider`: of pycocoevalcap, from 0 to 100, as papers on captions print it, and from 0 to 10, over `words`
      (Chen et al. 2015, Vedantam et al. 2015; COCO's own server splits English by the Penn Treebank's rules and drops
      signs);
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
    several = listed(references)
    bleu_4, cider = bleu_4_and_cider(captions, several)
    return {
        "exact_match": exact_match(captions, several),
        "token_f1": token_f1(captions, several),
        "cider": cider,
        **rouge(captions, several, ["rouge_l"]),
        "bleu_4": bleu_4,
        "sacrebleu": bleu(captions, several, bleu_tokenizer),
    }


def bleu_4_and_cider(captions: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Return pycocoevalcap's BLEU-4, from 0 to 100, and CIDEr, from 0 to 10, over words."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider

    given = {row: [" ".join(words(caption))] for row, caption in enumerate(captions)}
    wanted = {row: [" ".join(words(text)) for text in texts] for row, texts in enumerate(references)}
    bleus, _ = Bleu(4).compute_score(wanted, given, verbose=0)
    cider, _ = Cider().compute_score(wanted, given)
    return 100 * float(bleus[3]), float(cider)
