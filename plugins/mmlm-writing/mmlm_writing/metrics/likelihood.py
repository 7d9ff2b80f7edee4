"""What given texts were worth to a model, by the scores that `TextHead.predict` gives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["perplexity", "surprise"]


def perplexity(predictions: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the `perplexity` of a token over the whole split; nothing where no text was scored."""
    total, tokens = surprise(predictions), sum(prediction.get("scored_tokens", 0) for prediction in predictions)
    return {"perplexity": math.exp(min(total / tokens, 700.0))} if tokens else {}  # a double ends at exp(709)


def surprise(predictions: Sequence[Mapping[str, Any]]) -> float:
    """Return minus the sum of the log-likelihoods."""
    return -math.fsum(prediction.get("log_likelihood", 0.0) for prediction in predictions)
