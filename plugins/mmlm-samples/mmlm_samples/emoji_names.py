"""The data source `emoji_names`."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_core.interfaces import DataSource
from mmlm_core.types import Example
from mmlm_samples.emoji_names_options import EmojiNamesOptions
from mmlm_samples.files import path
from mmlm_samples.named_emoji import named_emoji
from mmlm_samples.rows import SPLITS, spread

__all__ = ["EmojiNamesSource"]


class EmojiNamesSource(DataSource):
    """The name of each emoji in one language, and in another as the target: a translation of short phrases.

    Each emoji is there once, whoever drew it. Names that are nearly the same stand in one split; see `name_families`.
    What is held out is a new phrase of words that training knows, by its English name. It depends on no option, so that
    models of all directions are tested on the same emoji.

    Args:
        options: The options.
    """

    def __init__(self, options: EmojiNamesOptions) -> None:
        self.options = options

    def splits(self) -> list[str]:
        """Return the splits."""
        return [split for split in SPLITS if self.options.validate or split != "validation"]

    def read(self, split: str) -> Sequence[Example]:
        """Return the names of a split."""
        if split not in self.splits():
            raise DataError(f"`data=emoji_names` has no rows for the split `{split}`."
                            f"{did_you_mean(split, self.splits())}{one_of(self.splits())}")  # fmt: skip
        source, target = (f"label_{language}" for language in (self.options.source, self.options.target))
        rows = [
            Example(f"{path('emoji').name}:{row['number'] + 1}", {"text": [row[source]]}, row[target])
            for row, where in zip(*named_emoji(), strict=True)
            if (where if self.options.validate or where == "test" else "train") == split
            and (self.options.tones or row["tone"] == "none")
        ]
        return spread(rows, self.options.limit)
