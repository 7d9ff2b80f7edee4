"""The options of `webdataset`. Imports neither torch nor pyarrow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mmlm_data.options import DividedOptions

__all__ = ["WebDatasetOptions"]


@dataclass
class WebDatasetOptions(DividedOptions):
    """WebDataset: shards of tar files, streamed, whose members `0001.jpg`, `0001.txt` are one row."""

    other_words: ClassVar[tuple[str, ...]] = ("target", "target:any")

    path: str | None = None
    """The shards: a file, a folder, a pattern as `shards/*.tar`, or numbers as `'"train-{000..146}.tar"'`. A column is
    a member's ending, as `jpg`, `txt` or `cls`, or what the row's `.json` has under a name."""
    validation: str | None = None
    """The same of the validation rows; without one, a share of the rows of `path` by their keys, for which all shards
    are read again."""

    folds: int | None = None
    """Divide `path` into so many folds of about one size, of which `fold` is the test (the validation, where `test`
    names shards of its own) and the others are for training."""
    limit: int | None = None
    """Rows of a split that are read at most, from its beginning; they are counted once before, and then no shard behind
    them is opened."""

    def first_row(self) -> Mapping[str, Any]:
        """See `MappedOptions.first_row`."""
        from mmlm_data.shards import first_sample

        return first_sample(self.path or "")

    def check_file(self, path: str) -> None:
        """See `MappedOptions.check_file`."""
        from mmlm_data.shards import check_samples

        check_samples(path, self.wanted(path))
