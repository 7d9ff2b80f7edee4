"""The options of the data source `emoji_names`. Imports neither torch nor pyarrow."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core.errors import OptionError
from mmlm_core.ranges import check_range
from mmlm_samples.options import LANGUAGES, check_one_of

__all__ = ["EmojiNamesOptions"]


@dataclass
class EmojiNamesOptions:
    """The names of emoji in one language, to be translated into another."""

    source: str = "en"
    """The language of the names that are read: en, zh, de, fr, es, ja."""
    target: str = "de"
    """The language that the model is to translate them into."""
    tones: bool = True
    """Read the names with a skin tone too: `waving hand: light skin tone`."""
    validate: bool = True
    """Keep some names out of the training for validation; false: train on them too, and validate nothing."""
    limit: int | None = None
    """Rows of a split that are read at most, spread over it evenly."""

    def __post_init__(self) -> None:
        """Check the languages and the limit."""
        check_one_of("source", self.source, LANGUAGES)
        check_one_of("target", self.target, LANGUAGES)
        if self.source == self.target:
            raise OptionError(f"`target` must be another language than `source`, which is `{self.source}`.")
        check_range(self, "limit", 1)
