"""The data source `webdataset`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from mmlm_core.errors import DataError, did_you_mean, one_of, quoted
from mmlm_core.interfaces import DataSource, Stream
from mmlm_core.types import Example
from mmlm_data.guessing import say_guesses
from mmlm_data.options import columns_of, origins_of
from mmlm_data.shards import Sample, samples, shards_at
from mmlm_data.splits import SPLITS, TEST, TRAIN, VALIDATION
from mmlm_data.webdataset_options import WebDatasetOptions

__all__ = ["WebDatasetSource"]

TEXT = "text"

Range = tuple[float, float]
"""The places between 0 and 1 of the keys that a split has: the first included, the last not."""


class WebDatasetSource(DataSource):
    """Rows of tar shards, which are never opened all at once nor laid down anywhere.

    Args:
        options: The options.
    """

    def __init__(self, options: WebDatasetOptions) -> None:
        self.options = options
        self.inputs = {modality: names for modality, names in columns_of(options.inputs).items() if names}
        say_guesses(options)

    def splits(self) -> list[str]:
        """Return the splits that have shards of their own or a share of `path`."""
        return [split for split in SPLITS if split in self._places]

    def read(self, split: str) -> Stream:
        """Return the rows of a split.

        Raises:
            DataError: There is no such split, no shard, or nothing is mapped.
        """
        if split not in self._places:
            raise DataError(
                f"`data=webdataset` has no split `{split}`.{did_you_mean(split, SPLITS)}{one_of(self.splits())}"
            )
        if not self.inputs and not self.options.target:
            raise DataError("`data=webdataset` maps no column: say, as an example, `data.inputs.image=jpg`.")
        path, places = self._places[split]
        return _Shards(shards_at(path), self.inputs, self.options.target, self.options.prompt, places,
                       self.options.split_seed)  # fmt: skip

    @property
    def _places(self) -> dict[str, tuple[str, Range | None]]:
        """Where the rows of each split lie: the path, and which of its rows, where these are shared."""
        options = self.options
        found: dict[str, tuple[str, Range | None]] = {}
        own = {VALIDATION: options.validation, TEST: options.test}
        found |= {split: (path, None) for split, path in own.items() if path}
        if not options.path:
            if not found:
                raise DataError("`data.path` must name shards, as `data.path=shards/*.tar`.")
            return found
        begin = 0.0
        shares = {TEST: options.test_fraction, VALIDATION: options.validation_fraction}
        for split, share in shares.items():
            if share and not own[split]:
                found[split] = (options.path, (begin, begin + share))
                begin += share
        return found | {TRAIN: (options.path, (begin, 1.0) if begin else None)}


@dataclass(frozen=True)
class _Shards(Stream):
    """The rows of shards."""

    files: Sequence[Path]
    inputs: Mapping[str, Sequence[str]]
    target: str | None
    prompt: str | None
    places: Range | None
    seed: int

    @property
    def shards(self) -> int:  # type: ignore[override]
        """See `Stream.shards`."""
        return len(self.files)

    def rows(self, shard: int, start: int = 0) -> Iterator[Example]:
        """See `Stream.rows`."""
        kept = (sample for sample in samples(self.files[shard]) if self._has(sample.key))
        return map(self._example, islice(kept, start, None))

    def _has(self, key: str) -> bool:
        """Whether a sample is of this split, by a hash of its key."""
        if self.places is None:
            return True
        digest = hashlib.blake2b(f"{self.seed}/{key}".encode(), digest_size=8).digest()
        return self.places[0] <= int.from_bytes(digest, "little") / 2**64 < self.places[1]

    def _example(self, sample: Sample) -> Example:
        key = f"{sample.shard.name}/{sample.key}"
        try:
            inputs = {modality: self._items(sample, modality, names) for modality, names in self.inputs.items()}
            target = None if self.target is None else sample.value(self.target)
            prompt = None if self.prompt is None else sample.value(self.prompt)
        except DataError as error:  # of this sample alone
            return Example(key, fault=str(error))
        return Example(key, inputs, target if target != "" else None, prompt or None, origins=self._origins)

    @cached_property
    def _origins(self) -> dict[str, str]:
        return origins_of(self.inputs, self.target, self.prompt)

    def _items(self, sample: Sample, modality: str, names: Sequence[str]) -> list[Any]:
        found = [sample.value(name) for name in names]
        items = [
            item for each in found for item in (each if isinstance(each, list) else [each]) if item not in (None, "")
        ]
        if modality == TEXT and not all(isinstance(item, str) for item in items):
            odd = next(item for item in items if not isinstance(item, str))
            raise DataError(f"{' and '.join(f'`{name}`' for name in names)} must hold texts, not {quoted(odd)}.")
        return items
