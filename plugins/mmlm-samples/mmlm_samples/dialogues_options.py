"""The options of the data source `dialogues`. Imports neither torch nor pyarrow."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core.ranges import check_range
from mmlm_samples.options import check_one_of

__all__ = ["DialoguesOptions"]

SPOKEN = ("en", "zh")


@dataclass
class DialoguesOptions:
    """Short exchanges of a user and an assistant; so few that a model learns them by heart."""

    language: str = "en"
    """The language: en, zh."""
    limit: int | None = None
    """Rows of a split that are read at most, spread over it evenly."""

    def __post_init__(self) -> None:
        """Check the language and the limit."""
        check_one_of("language", self.language, SPOKEN)
        check_range(self, "limit", 1)
