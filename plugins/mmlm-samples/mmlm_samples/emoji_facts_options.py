"""The options of the data source `emoji_facts`. Imports neither torch nor pyarrow."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmlm_core.ranges import check_range
from mmlm_samples.options import check_one_of

__all__ = ["FACTS", "EmojiFactsOptions"]

FACTS = ("group", "subgroup", "same_group")
"""The kinds of questions."""


@dataclass
class EmojiFactsOptions:
    """Questions about emoji without their pictures: which group a name is in, and whether two share theirs."""

    kinds: list[str] = field(default_factory=list)
    """The kinds of questions: group, subgroup, same_group; none named: all."""
    limit: int | None = None
    """Rows of a split that are read at most, spread over it evenly."""

    def __post_init__(self) -> None:
        """Check the kinds and the limit."""
        for kind in self.kinds:
            check_one_of("kinds", kind, FACTS)
        check_range(self, "limit", 1)
