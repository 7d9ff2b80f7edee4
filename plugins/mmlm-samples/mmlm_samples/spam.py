"""The data source `spam`."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_core.interfaces import DataSource
from mmlm_core.types import Example
from mmlm_samples.options import SpamOptions
from mmlm_samples.rows import SampleFile

__all__ = ["SpamSource"]


class SpamSource(DataSource):
    """English mail, each with the label `ham` or `spam`.

    Args:
        options: The options.
    """

    def __init__(self, options: SpamOptions) -> None:
        self.file = SampleFile("spam", options.inputs, options.target, options.limit)

    def splits(self) -> list[str]:
        """Return the splits."""
        return self.file.splits()

    def read(self, split: str) -> Sequence[Example]:
        """Return the rows of a split."""
        return self.file.read(split)
