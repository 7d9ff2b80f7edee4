"""The data source `mix`."""

from __future__ import annotations

from functools import cached_property

from mmlm_core.data import Mixture
from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_core.interfaces import DataSource, Stream
from mmlm_data.mix_options import MixOptions
from mmlm_data.splits import SPLITS

__all__ = ["MixSource"]


class MixSource(DataSource):
    """Rows of several sources; a split has those of each source that has this split.

    Args:
        options: The options.
    """

    def __init__(self, options: MixOptions) -> None:
        self.options = options

    def splits(self) -> list[str]:
        """Return the splits that some source has."""
        return [split for split in SPLITS if any(split in source.splits() for source in self._sources.values())]

    def read(self, split: str) -> Mixture:
        """Return the rows of a split.

        Raises:
            DataError: There is no such split; a source cannot be read; or it is streamed.
        """
        if split not in self.splits():
            raise DataError(f"`data=mix` has no split `{split}`.{did_you_mean(split, SPLITS)}{one_of(self.splits())}")
        rows = {}
        for word, source in self._sources.items():
            if split in source.splits():
                read = source.read(split)
                if isinstance(read, Stream):
                    name = self.options.found[word].component.name
                    raise DataError(f"`data=mix` cannot mix `data={name}`, the source `{word}`: it is streamed, and "
                                    "its rows cannot be drawn one by one.")  # fmt: skip
                rows[word] = read
        return Mixture(rows, {word: source.weight for word, source in self.options.found.items()})

    @cached_property
    def _sources(self) -> dict[str, DataSource]:
        if not self.options.found:
            raise DataError("`data=mix` must be told what to mix, as `data.sources.web.name=table "
                            "data.sources.web.path=web.csv data.sources.books.name=prose`.")  # fmt: skip
        return {word: source.component.load()(source.options) for word, source in self.options.found.items()}
