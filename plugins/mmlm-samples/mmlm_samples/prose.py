"""The data source `prose`."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_core.interfaces import DataSource
from mmlm_core.types import Example
from mmlm_samples.options import ProseOptions
from mmlm_samples.rows import SampleFile

__all__ = ["ProseSource"]


class ProseSource(DataSource):
    """Paragraphs of Moby-Dick; the columns: text, source, chapter.

    Args:
        options: The options.
    """

    def __init__(self, options: ProseOptions) -> None:
        self.file = SampleFile("prose", options.inputs, options.target, options.limit)

    def splits(self) -> list[str]:
        """Return the splits."""
        return self.file.splits()

    def read(self, split: str) -> Sequence[Example]:
        """Return the rows of a split."""
        return self.file.read(split)
