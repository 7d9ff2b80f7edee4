"""The options of the data source `emoji_questions`. Imports neither torch nor pyarrow."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmlm_core.ranges import check_range
from mmlm_samples.options import FAMILIES, check_one_of

__all__ = ["KINDS", "EmojiQuestionsOptions"]

KINDS = ("name", "is_name", "group", "tone", "colour", "shows_colour")
"""The kinds of questions."""


@dataclass
class EmojiQuestionsOptions:
    """Questions about pictures of emoji, in English, with their answers."""

    kinds: list[str] = field(default_factory=list)
    """The kinds of questions: name, is_name, group, tone, colour, shows_colour; none named: all."""
    families: list[str] = field(default_factory=list)
    """The designs that are asked about: noto, noto-v1, twemoji, fluent, fluent-flat; none named: all."""
    validate: bool = True
    """Keep some concepts out of the training for validation; false: train on them too, and validate nothing."""
    limit: int | None = None
    """Rows of a split that are read at most, spread over it evenly."""

    def __post_init__(self) -> None:
        """Check the kinds, the families and the limit."""
        for kind in self.kinds:
            check_one_of("kinds", kind, KINDS)
        for family in self.families:
            check_one_of("families", family, FAMILIES)
        check_range(self, "limit", 1)
