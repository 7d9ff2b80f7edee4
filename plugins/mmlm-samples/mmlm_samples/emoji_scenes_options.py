"""The options of the data source `emoji_scenes`. Imports neither torch nor pyarrow."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from mmlm_core.options import check_choices
from mmlm_core.ranges import check_range
from mmlm_samples.options import FAMILIES, check_one_of

__all__ = ["CLASSES", "EmojiScenesOptions", "SceneTask"]

CLASSES = ("background", "smileys-emotion", "people-body", "animals-nature", "food-drink", "travel-places",
           "activities", "objects", "symbols")  # fmt: skip
"""What the numbers of a mask of groups mean, in order."""


class SceneTask(Enum):
    """What a mask shows."""

    groups = "groups"
    named = "named"


@dataclass
class EmojiScenesOptions:
    """Emoji on cluttered grounds; the target is a mask: of their groups, or of the one of two that a text names."""

    task: SceneTask = SceneTask.groups
    """`groups`: every pixel's group, 0 is the ground; `named`: the text names one of two emoji, whose pixels are 1."""
    size: int = 64
    """Pixels of a scene's side; an emoji takes from a third to a half of it."""
    emoji: int = 3
    """Emoji in a scene of groups at most."""
    rounds: int = 2
    """Scenes of the training for each drawing, with other drawings, places and grounds."""
    families: list[str] = field(default_factory=list)
    """The designs that are read: noto, noto-v1, twemoji, fluent, fluent-flat; none named: all."""
    validate: bool = True
    """Keep some concepts out of the training for validation; false: train on them too, and validate nothing."""
    limit: int | None = None
    """Rows of a split that are read at most, spread over it evenly."""

    def __post_init__(self) -> None:
        """Check the ranges and the families."""
        check_choices(self)
        check_range(self, "size", 16, 1024)
        check_range(self, "emoji", 1, 6)
        check_range(self, "rounds", 1)
        for family in self.families:
            check_one_of("families", family, FAMILIES)
        check_range(self, "limit", 1)
