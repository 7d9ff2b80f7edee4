"""The options of the head `tagging`. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core.ranges import check_range

__all__ = ["TaggingOptions"]


@dataclass
class TaggingOptions:
    """One tag for each word of a text: parts of speech, or names as IOB2."""

    dropout: float = 0.1
    """Dropout before the output layer."""
    truncate: bool = False
    """Words beyond `encoder.text.max_tokens` are left out of the loss and get the most frequent tag; false: such a row
    is refused."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "dropout", 0, 0.999)
