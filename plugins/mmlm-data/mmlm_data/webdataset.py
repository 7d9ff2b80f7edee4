"""The data source `webdataset`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
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
"""Places between 0 and 1: the first included, the last not."""

ALL = (0.0, 1.0)


@dataclass(frozen=True)
class Share:
    """The rows of a split, by two places of what names them: its key, or its group.

    Attributes:
        places: Where the first place lies.
        others: Those that lie elsewhere are meant.
        then: Where the second place lies.
    """

    places: Range = ALL
    others: bool = False
    then: Range = ALL

    def has(self, name: str, seed: int) -> bool:
        """Whether the split has what is named so."""
        inside = self.places == ALL or self.places[0] <= _place(name, seed) < self.places[1]
        if inside is self.others:
            return False
        return self.then == ALL or self.then[0] <= _place(name, seed + 1) < self.then[1]


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
        path, share = self._places[split]
        shards = _Shards(shards_at(path), self.inputs, self.options, share)
        return shards if self.options.limit is None else shards.first(self.options.limit)

    @property
    def _places(self) -> dict[str, tuple[str, Share]]:
        """Where the rows of each split lie: the path, and which of its rows."""
        options = self.options
        own = {VALIDATION: options.validation, TEST: options.test}
        found = {split: (path, Share()) for split, path in own.items() if path}
        if not options.path:
            if not found:
                raise DataError("`data.path` must name shards, as `data.path=shards/*.tar`.")
            return found
        if options.folds:
            held = VALIDATION if options.test else TEST
            fold = (options.fold / options.folds, (options.fold + 1) / options.folds)
            begin = 0.0 if held == VALIDATION or options.validation else options.validation_fraction
            found[held] = (options.path, Share(fold))
            if begin:
                found[VALIDATION] = (options.path, Share(fold, others=True, then=(0.0, begin)))
            return found | {TRAIN: (options.path, Share(fold, others=True, then=(begin, 1.0)))}
        begin = 0.0
        shares = {TEST: options.test_fraction, VALIDATION: options.validation_fraction}
        for split, share in shares.items():
            if share and not own[split]:
                found[split] = (options.path, Share((begin, begin + share)))
                begin += share
        return found | {TRAIN: (options.path, Share((begin, 1.0)))}


@dataclass(frozen=True)
class _Shards(Stream):
    """The rows of shards.

    Attributes:
        files: The shards.
        inputs: The columns of each modality.
        options: The source's.
        share: Which rows are of this split.
        counts: How many rows of each shard there are, where that is limited; None: as many as can be read.
    """

    files: Sequence[Path]
    inputs: Mapping[str, Sequence[str]]
    options: WebDatasetOptions
    share: Share
    counts: Sequence[int | None] | None = None

    @property
    def shards(self) -> int:  # type: ignore[override]
        """See `Stream.shards`."""
        return len(self.files)

    def rows(self, shard: int, start: int = 0) -> Iterator[Example]:
        """See `Stream.rows`."""
        end = None if self.counts is None else self.counts[shard]
        return map(self._example, islice(filter(self._has, samples(self.files[shard])), start, end))

    def size(self, shard: int) -> int | None:
        """See `Stream.size`."""
        return None if self.counts is None else self.counts[shard]

    def first(self, limit: int) -> _Shards:
        """Return the first rows alone, which are counted for that; a broken shard's end has no count, so that who reads
        the rows is told of it.
        """
        counts: list[int | None] = []
        left = limit
        for file in self.files:
            found, whole = self._count(file, left)
            counts.append(found if whole else None)
            left -= found
            if not left:
                break
        return replace(self, files=self.files[: len(counts)], counts=counts)

    def _count(self, file: Path, most: int) -> tuple[int, bool]:
        """Return how many rows a shard has, up to so many, and whether they can be read."""
        found = 0
        try:
            for _ in islice(filter(self._has, samples(file)), most):
                found += 1
        except DataError:
            return found, False
        return found, True

    def _has(self, sample: Sample) -> bool:
        """Whether a sample is of this split."""
        name = sample.key
        if self.options.group_column:
            with suppress(DataError):  # the row tells, in whatever split it is
                name = str(sample.value(self.options.group_column))
        return self.share.has(name, self.options.split_seed)

    def _example(self, sample: Sample) -> Example:
        key = f"{sample.shard.name}/{sample.key}"
        options = self.options
        columns = (options.target, options.prompt, options.groups, options.group_column)
        try:
            inputs = {modality: self._items(sample, modality, names) for modality, names in self.inputs.items()}
            target, prompt, group, _ = (None if column is None else sample.value(column) for column in columns)
        except DataError as error:  # of this sample alone
            return Example(key, fault=str(error))
        return Example(key, inputs, target if target != "" else None, prompt or None,
                       group=None if group is None else str(group), origins=self._origins)  # fmt: skip

    @cached_property
    def _origins(self) -> dict[str, str]:
        return origins_of(self.inputs, self.options.target, self.options.prompt)

    def _items(self, sample: Sample, modality: str, names: Sequence[str]) -> list[Any]:
        found = [sample.value(name) for name in names]
        items = [
            item for each in found for item in (each if isinstance(each, list) else [each]) if item not in (None, "")
        ]
        if modality == TEXT and not all(isinstance(item, str) for item in items):
            odd = next(item for item in items if not isinstance(item, str))
            raise DataError(f"{' and '.join(f'`{name}`' for name in names)} must hold texts, not {quoted(odd)}.")
        return items


def _place(name: str, seed: int) -> float:
    """Return a place from 0 to 1 for a name, the same on every machine."""
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64
