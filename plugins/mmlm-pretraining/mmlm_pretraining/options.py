"""The options of the heads. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core.ranges import check_range

__all__ = ["MaskedLanguageModelingOptions", "SpanCorruptionOptions"]


@dataclass
class MaskedLanguageModelingOptions:
    """Hidden tokens of a text, told from both sides, as in BERT's pretraining; the text is its own target."""

    rate: float = 0.15
    """Share of a text's tokens that are chosen, at least one: 80 % of them are hidden, 10 % replaced, 10 % left."""
    whole_words: bool = False
    """Choose words and not tokens: all pieces of a word are hidden together. A Chinese character is a word."""
    tie: bool = True
    """The output layer is the token table itself; false: a layer of its own."""

    def __post_init__(self) -> None:
        """Check the range."""
        check_range(self, "rate", 0.001, 0.999)


@dataclass
class SpanCorruptionOptions:
    """Spans of a text, replaced by sentinels and then written, as in T5's pretraining; the text is its own target."""

    rate: float = 0.15
    """Share of a text's tokens that are hidden, at least one."""
    mean_span: float = 3.0
    """Tokens of a span, on average."""
    sentinels: int = 100
    """Special tokens that stand for spans; a text that would need more has longer spans."""
    tie: bool = True
    """The output layer is the token table itself; false: a layer of its own."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "rate", 0.001, 0.999)
        check_range(self, "mean_span", 1)
        check_range(self, "sentinels", 1)
