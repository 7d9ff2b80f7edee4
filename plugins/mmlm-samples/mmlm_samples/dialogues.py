"""The data source `dialogues`."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_core.interfaces import DataSource
from mmlm_core.types import Example
from mmlm_samples.dialogues_options import DialoguesOptions
from mmlm_samples.rows import SampleFile

__all__ = ["DialoguesSource"]


class DialoguesSource(DataSource):
    """Conversations of the ChatterBot corpus; the target is a list of messages, each with `role` and `content`.

    Those that begin with the same question are of one split: the test asks what training never does.

    Args:
        options: The options.
    """

    def __init__(self, options: DialoguesOptions) -> None:
        self.file = SampleFile("dialogues", {}, "messages", options.limit, keep={"language": [options.language]})

    def splits(self) -> list[str]:
        """Return the splits."""
        return self.file.splits()

    def read(self, split: str) -> Sequence[Example]:
        """Return the conversations of a split."""
        return self.file.read(split)
