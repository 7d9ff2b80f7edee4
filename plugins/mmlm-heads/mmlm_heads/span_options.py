"""The options of the head `span`. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core.ranges import check_range

__all__ = ["SpanOptions"]


@dataclass
class SpanOptions:
    """A part of a text that answers a question, or that there is none: extractive answers, as in SQuAD."""

    dropout: float = 0.1
    """Dropout before the output layer."""
    max_answer_tokens: int = 30
    """Tokens of a predicted answer at most."""
    no_answer_bias: float = 0.0
    """Added to the score of having no answer; below 0: more rows are answered, above 0: fewer."""
    truncate: bool = False
    """An answer beyond `encoder.text.max_tokens` is taught as having none; false: such a row is refused."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "dropout", 0, 0.999)
        check_range(self, "max_answer_tokens", 1)
