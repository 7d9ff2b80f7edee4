"""The options of the data source `emoji_commands`. Imports neither torch nor pyarrow."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core.ranges import check_range

__all__ = ["EmojiCommandsOptions"]


@dataclass
class EmojiCommandsOptions:
    """Commands in English about emoji, with their forms as JSON."""

    rows: int = 8000
    """Rows of the training; validation and test have a tenth as many each."""
    limit: int | None = None
    """Rows of a split that are read at most, spread over it evenly."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        check_range(self, "rows", 10, 1_000_000)
        check_range(self, "limit", 1)
