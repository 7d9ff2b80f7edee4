"""The head `answering`: a short answer, in words of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmlm_writing.metrics.agreement import listed
from mmlm_writing.metrics.answers import AGREEING, squad_exact_match, squad_f1, vqa_accuracy
from mmlm_writing.options import AnsweringOptions
from mmlm_writing.text_head import TextHead

__all__ = ["Answering"]


class Answering(TextHead[AnsweringOptions]):
    """Learns to write answers; a row may have those of several people.

    The question is an input (a text beside a picture, as in LLaVA) or the row's prompt.
    """

    monitor = ("f1", "max")

    def measure(self, texts: Sequence[str], references: Sequence[Any]) -> dict[str, float]:
        """Return SQuAD's `exact_match` and `f1`, from 0 to 1, against the best of a row's answers.

        Where every row has the answers of more people than must agree (the data set of visual question answering has
        ten), `vqa_accuracy` too.
        """
        several = listed(references)
        figures = {"exact_match": squad_exact_match(texts, several), "f1": squad_f1(texts, several)}
        if min(map(len, several)) > AGREEING:
            figures["vqa_accuracy"] = vqa_accuracy(texts, several)
        return figures
