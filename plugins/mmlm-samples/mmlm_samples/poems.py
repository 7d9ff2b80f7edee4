"""The data source `poems`."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_core.interfaces import DataSource
from mmlm_core.types import Example
from mmlm_samples.options import PoemsOptions
from mmlm_samples.rows import SampleFile

__all__ = ["PoemsSource"]


class PoemsSource(DataSource):
    """Chinese poems (ci) of the Song dynasty; the columns: text, rhythmic (the tune), author.

    Args:
        options: The options.
    """

    def __init__(self, options: PoemsOptions) -> None:
        self.file = SampleFile("poems", options.inputs, options.target, options.limit)

    def splits(self) -> list[str]:
        """Return the splits."""
        return self.file.splits()

    def read(self, split: str) -> Sequence[Example]:
        """Return the rows of a split."""
        return self.file.read(split)
