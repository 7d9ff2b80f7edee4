"""The head `summarization`: a shorter text of the same content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmlm_writing.metrics.agreement import listed
from mmlm_writing.metrics.rouge import ROUGES, rouge
from mmlm_writing.options import SummarizationOptions
from mmlm_writing.text_head import TextHead

__all__ = ["Summarization"]


class Summarization(TextHead[SummarizationOptions]):
    """Learns to write summaries; a row may have several, of which metrics take the nearest."""

    monitor = ("rouge_l", "max")

    def measure(self, texts: Sequence[str], references: Sequence[Any]) -> dict[str, float]:
        """Return `rouge_1`, `rouge_2` and `rouge_l`, rouge-score's F1 from 0 to 1 (Lin 2004)."""
        return rouge(texts, listed(references), list(ROUGES), self.options.stem)
