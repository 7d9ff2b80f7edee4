"""The head `captioning`: a text about what is seen or heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmlm_writing.metrics.captions import caption_metrics
from mmlm_writing.options import CaptioningOptions
from mmlm_writing.text_head import TextHead

__all__ = ["Captioning"]


class Captioning(TextHead[CaptioningOptions]):
    """Learns to write captions; a row may have several.

    The better model is the one with the higher `token_f1`, which moves from the first epoch on (`exact_match` long
    stays at 0) and does not depend on which other rows are measured (CIDEr does).
    """

    monitor = ("token_f1", "max")

    def measure(self, texts: Sequence[str], references: Sequence[Any]) -> dict[str, float]:
        """Return the metrics of `mmlm_writing.metrics.captions`."""
        return caption_metrics(texts, references, self.options.bleu_tokenizer)
