"""Rows of several sources as those of one, drawn by weights."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from mmlm_core.data.readable import targets_of
from mmlm_core.settings import OnError
from mmlm_core.types import Example

__all__ = ["Mixture"]


class Mixture(Sequence[Example]):
    """Rows of several sources, one source behind the other. Picklable, and cheap to index.

    Keys begin with the source's name, and a row that is measured under no group is so under its source. A training
    draws as many rows in an epoch as there are; how often those of a source come against others says its weight.

    Args:
        sources: The rows of each source.
        weights: Of each source; positive.
    """

    def __init__(self, sources: Mapping[str, Sequence[Example]], weights: Mapping[str, float]) -> None:
        self.names = list(sources)
        self.sources = list(sources.values())
        self.weights = [weights[name] for name in sources]
        self._ends = list(accumulate(map(len, self.sources)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: int) -> Example:  # type: ignore[override]
        """Return a row.

        Raises:
            DataError: It cannot be read.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        source = bisect_right(self._ends, index)
        row = self.sources[source][index - (self._ends[source - 1] if source else 0)]
        name = self.names[source]
        origins = {part: origin.replace("data.", f"data.sources.{name}.", 1) for part, origin in row.origins.items()}
        return replace(row, key=f"{name}/{row.key}", group=row.group or name, origins=origins)

    def targets(self) -> Iterator[Any]:
        """Yield the target of each row. See `DataSource.read`."""
        for rows in self.sources:
            yield from targets_of(rows, OnError.RAISE)

    @property
    def classes(self) -> Tensor:
        """The source of each row, from 0. Shape: [rows]."""
        return torch.arange(len(self.sources)).repeat_interleave(torch.tensor([len(rows) for rows in self.sources]))

    @property
    def shares(self) -> Tensor | None:
        """How many rows of each source an epoch has, in any unit; None: each row once. Shape: [sources]."""
        if len(set(self.weights)) < 2:
            return None
        return torch.tensor([len(rows) * weight for rows, weight in zip(self.sources, self.weights, strict=True)])
