"""The data source `emoji`."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_core.interfaces import DataSource
from mmlm_core.types import Example
from mmlm_samples.options import EmojiOptions, EmojiSplit
from mmlm_samples.rows import SampleFile

__all__ = ["EmojiSource"]


class EmojiSource(DataSource):
    """Pictures of emoji, with their labels, tags, groups and designs; any column can be an input or the target.

    The columns: picture, family, emoji, group, subgroup, tone, concept, and label and tags in each language, as
    `label_zh`, `tags_zh`.

    Args:
        options: The options.
    """

    def __init__(self, options: EmojiOptions) -> None:
        keep: dict[str, Sequence[object]] = {} if options.everything else {"standard": [True]}
        if options.families:
            keep["family"] = options.families
        self.file = SampleFile(
            "emoji",
            options.inputs,
            options.target or f"label_{options.language}",
            options.limit,
            "split_concepts" if options.split is EmojiSplit.concepts else "split",
            keep,
            merge={} if options.validate else {"validation": "train"},
        )

    def splits(self) -> list[str]:
        """Return the splits that have rows of these families."""
        return self.file.splits()

    def read(self, split: str) -> Sequence[Example]:
        """Return the rows of a split."""
        return self.file.read(split)
