"""The range of every metric of the heads that write, for readers of a table."""

from __future__ import annotations

import math
from collections.abc import Mapping

__all__ = ["RANGES"]

SHARE = (0.0, 1.0)
PERCENT = (0.0, 100.0)

RANGES: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(["exact_match", "token_f1", "f1", "vqa_accuracy", "well_formed"], SHARE),
    **dict.fromkeys(["rouge_1", "rouge_2", "rouge_l"], SHARE),
    **dict.fromkeys(["bleu", "bleu_4", "sacrebleu", "chrf"], PERCENT),
    "cider": (0.0, 10.0),
    "wer": (0.0, math.inf),
    "cer": (0.0, math.inf),
    "perplexity": (1.0, math.inf),
    "bits_per_character": (0.0, math.inf),
}
