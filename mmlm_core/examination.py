"""Examines the rows of a composition before it is trained: each is read once, and what is odd is counted and located.

Light: no Lightning, and no model but the composed one, whose processors read the rows as a training would.
"""

from __future__ import annotations

import hashlib
import pickle
import statistics
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from mmlm_core.data import Fault, Prepared, Row, Rows
from mmlm_core.errors import DataError
from mmlm_core.interfaces import Stream
from mmlm_core.media import opened
from mmlm_core.preparation import Preparation
from mmlm_core.settings import OnError
from mmlm_core.types import Example

__all__ = ["Examination", "Measure", "Split", "Twins", "every_row", "examine"]

MOST_LABELS = 50
"""Distinct targets up to which they are taken for labels."""

Progress = Callable[[Iterable[Any], str, int | None], Iterable[Any]]
"""Shows how far an iteration is, given what it is over and how long it is."""


@dataclass(frozen=True)
class Measure:
    """What was measured of the items of a split: the least, the middle one, the most, and the sum."""

    least: float
    median: float
    most: float
    total: float


@dataclass
class Split:
    """What was found in a split.

    Attributes:
        rows: Rows in it.
        faults: The rows that cannot be used, by key, with the reason.
        measures: Of the items, by modality and name, as `image width`; of the targets, as `target tokens`.
        labels: Rows of each label, the most frequent first; empty where the targets are no labels.
        repeated: Rows whose inputs (without inputs: whose target) stand in the split before.
    """

    rows: int = 0
    faults: dict[str, str] = field(default_factory=dict)
    measures: dict[str, Measure] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    repeated: int = 0


@dataclass(frozen=True)
class Twins:
    """A row whose inputs stand in another split too.

    Attributes:
        first: The key of the row in the split that came first, which is the training.
        second: The key of the other one.
        splits: Both splits.
        exact: Their inputs are the same; else their texts are but for case, spaces and signs.
        target: Their targets are the same too.
    """

    first: str
    second: str
    splits: tuple[str, str]
    exact: bool
    target: bool


@dataclass
class Examination:
    """What was found in the rows of a composition.

    Attributes:
        splits: By name.
        twins: Rows that stand in two splits.
    """

    splits: dict[str, Split] = field(default_factory=dict)
    twins: list[Twins] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """What is wrong, in a few words each; empty: nothing is."""
        unusable = sum(len(split.faults) for split in self.splits.values())
        empty = [f"no row of `{name}` can be used" for name, split in self.splits.items()
                 if len(split.faults) == split.rows]  # fmt: skip
        told = [f"{_counted(unusable, 'row')} cannot be used" if unusable else "", *empty]
        return [*filter(None, told), *(f"{_counted(count, 'row')} of `{two}` stand in `{one}` too"
                                       for (one, two), count in self.leaks.items())]  # fmt: skip

    @property
    def leaks(self) -> dict[tuple[str, str], int]:
        """How many rows stand in two splits, by these."""
        return dict(Counter(twins.splits for twins in self.twins))


def examine(preparation: Preparation, splits: Sequence[str], progress: Progress) -> Examination:
    """Read every row once, as a training would, and tell what there is.

    Args:
        preparation: The composed model with its data.
        splits: Which splits, the training first.
        progress: Shows how far it is.

    Raises:
        DataError: A split cannot be read at all.
    """
    found = Examination()
    model = preparation.model
    seen: dict[bytes, tuple[str, str, bytes]] = {}
    for name in splits:
        rows = preparation.source.read(name)
        prepared = Prepared(rows, model.processors(), model.head.target_processor(), on_error=OnError.SKIP,
                            needs_target=preparation.composition["data"].traits.has_target)  # fmt: skip
        split = found.splits[name] = Split()
        values: dict[str, list[float]] = {}
        targets: Counter[str] | None = Counter()
        size = None if isinstance(rows, Stream) else len(rows)
        for row in progress(every_row(rows, prepared), name, size):
            split.rows += 1
            if isinstance(row, Fault):
                split.faults[row.key] = row.reason
                continue
            _measure(prepared, row, values)
            targets = _count(targets, row.example)
            _compare(name, row.example, tuple(prepared.processors), seen, split, found.twins)
        split.measures = {what: Measure(min(each), statistics.median(each), max(each), sum(each))
                          for what, each in values.items()}  # fmt: skip
        if targets and 2 * len(targets) <= targets.total():  # else they are texts, of which there are few
            split.labels = dict(targets.most_common())
    return found


def every_row(rows: Rows, prepared: Prepared) -> Iterator[Row | Fault]:
    """Yield every row, prepared; a stream's shard that breaks off is a fault, and the next one is read."""
    if not isinstance(rows, Stream):
        yield from (prepared[index] for index in range(len(rows)))
        return
    for shard in range(rows.shards):
        try:
            for example in rows.rows(shard):
                yield prepared.row(example)
        except DataError as error:
            yield Fault(f"shard {shard + 1}", str(error))


def _measure(prepared: Prepared, row: Row, values: dict[str, list[float]]) -> None:
    measured = [(modality, prepared.processors[modality].measures(item))
                for modality, items in row.inputs.items() for item in items]  # fmt: skip
    if prepared.target_processor is not None:
        measured.append(("target", prepared.target_processor.measures(row.targets)))
    for of, figures in measured:
        for name, figure in figures.items():
            values.setdefault(f"{of} {name}", []).append(figure)


def _count(targets: Counter[str] | None, example: Example | None) -> Counter[str] | None:
    """Count a label; None as soon as the targets are found to be none."""
    if targets is None or example is None:
        return None
    given = example.target if isinstance(example.target, list | tuple) else [example.target]
    labels = [int(label) if isinstance(label, float) and label.is_integer() else label for label in given]
    if not all(isinstance(label, str | int) for label in labels):
        return None
    targets.update(str(label) for label in labels)
    return targets if len(targets) <= MOST_LABELS else None


def _compare(
    split: str,
    example: Example | None,
    modalities: Sequence[str],
    seen: dict[bytes, tuple[str, str, bytes]],
    own: Split,
    twins: list[Twins],
) -> None:
    """Look whether a row stands elsewhere, and note it."""
    if example is None:
        return
    target = _digest(example.target)
    items = [item for modality in modalities for item in example.inputs.get(modality) or ()] or [example.target]
    digests = [_digest([_content(item) for item in items])]
    if all(isinstance(item, str) for item in items):
        digests.append(_digest(["normalised", *(_normalised(item) for item in items)]))
    for exact, digest in zip((True, False), digests, strict=False):
        first = seen.get(digest)
        if first is None:
            continue
        if first[1] == split:
            own.repeated += exact
        else:
            twins.append(Twins(first[0], example.key, (first[1], split), exact, first[2] == target))
        break
    for digest in digests:
        seen.setdefault(digest, (example.key, split, target))


def _content(item: Any) -> Any:
    """Return what an item is compared by: of a file its bytes, else itself."""
    item = opened(item)
    if isinstance(item, str | PathLike) and len(fspath(item)) < 1000 and "\n" not in str(item):
        path = Path(item)
        try:
            return path.read_bytes() if path.is_file() else str(item)
        except (OSError, ValueError):
            return str(item)
    return item


def _normalised(text: str) -> str:
    """Return a text without case, signs and spaces, in one form of Unicode."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum()) or folded


def _digest(value: Any) -> bytes:
    if isinstance(value, Mapping):
        value = sorted(value.items())
    try:
        return hashlib.blake2b(pickle.dumps(value), digest_size=12).digest()
    except (pickle.PicklingError, TypeError, AttributeError):
        return hashlib.blake2b(repr(value).encode("utf-8", "replace"), digest_size=12).digest()


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
