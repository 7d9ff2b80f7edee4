"""The data source `emoji_scenes`."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from mmlm_core.interfaces import DataSource
from mmlm_core.types import Example
from mmlm_samples import files
from mmlm_samples.emoji_scenes_options import CLASSES, EmojiScenesOptions, SceneTask
from mmlm_samples.rows import SampleFile, spread
from mmlm_samples.scenes import Cutout, paint, png

__all__ = ["EmojiScenesSource"]

TRAIN = "train"


@dataclass(frozen=True)
class Scene:
    """What a scene is made of.

    Attributes:
        key: Of the row.
        drawings: The places of its drawings in the table of the split.
        seed: The words that its places and its ground depend on.
        named: Which of the drawings the text names; None: no text.
    """

    key: str
    drawings: tuple[int, ...]
    seed: str
    named: int | None = None


@dataclass(frozen=True)
class Scenes(Sequence[Example]):
    """Scenes, painted when they are asked for, always alike. Picklable, and cheap to index.

    Attributes:
        table: The drawings of the split: `picture`, `alpha`, `group`, `label_en`.
        rows: What is painted.
        size: Pixels of a side.
    """

    table: pa.Table
    rows: Sequence[Scene]
    size: int

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Example: ...

    @overload
    def __getitem__(self, place: slice) -> Scenes: ...

    def __getitem__(self, place: int | slice) -> Example | Scenes:
        """Return a row; or, for a slice, some rows."""
        if isinstance(place, slice):
            return replace(self, rows=self.rows[place])
        row = self.rows[place]
        cutouts = [Cutout.of(*(self._cell(name, drawing) for name in ("picture", "alpha"))) for drawing in row.drawings]
        picture, owners = paint(cutouts, self.size, np.random.default_rng(_draw(row.seed)))
        inputs = {"image": [png(picture)]}
        if row.named is None:
            numbers = [CLASSES.index(self._cell("group", drawing)) for drawing in row.drawings]
        else:
            numbers = [int(number == row.named) for number in range(len(row.drawings))]
            inputs["text"] = [self._cell("label_en", row.drawings[row.named])]
        return Example(row.key, inputs, png(np.array([0, *numbers], np.uint8)[owners]))

    def _cell(self, name: str, drawing: int) -> Any:
        return self.table.column(name)[drawing].as_py()


class EmojiScenesSource(DataSource):
    """Scenes of the standard pictures of `emoji`, by the standard split: the test is a design that is not trained on.

    A scene has drawings of one design. In `groups` every drawing has a scene of its own in each round, in which others
    join it; in `named` drawings are paired, and each of a pair is asked for, so that the text alone says which it is.

    Args:
        options: The options.
    """

    def __init__(self, options: EmojiScenesOptions) -> None:
        self.options = options
        keep: dict[str, Sequence[object]] = {"standard": [True], "group": CLASSES}
        if options.families:
            keep["family"] = options.families
        merge = {} if options.validate else {"validation": TRAIN}
        self.file = SampleFile("emoji", {}, None, None, keep=keep, merge=merge, called="emoji_scenes")

    def splits(self) -> list[str]:
        """Return the splits that have drawings of these families."""
        return self.file.splits()

    def read(self, split: str) -> Sequence[Example]:
        """Return the scenes of a split."""
        numbers = self.file.numbers(split)
        names = ["picture", "family", "group", "label_en", "kin"]
        table = self.file.columns(dict.fromkeys(names, "data")).take(numbers)
        alpha = parquet.read_table(files.path("emoji_alpha"), columns=["alpha"], memory_map=True).take(numbers)
        table = table.append_column("alpha", alpha.column("alpha"))
        make = self._paired if self.options.task is SceneTask.named else self._joined
        rounds = self.options.rounds if split == TRAIN else 1
        rows = [row for turn in range(rounds) for row in make(table, numbers, turn)]
        kept = table.select(["picture", "alpha", "group", "label_en"]).combine_chunks()
        return Scenes(kept, spread(rows, self.options.limit), self.options.size)

    def _joined(self, table: pa.Table, numbers: Sequence[int], turn: int) -> Iterable[Scene]:
        """Yield a scene for each drawing, in which some others of its design join it."""
        for shelf in _shelves(table, numbers, f"groups {turn}"):
            for place, drawing in enumerate(shelf):
                key = _key(self.file, numbers[drawing], turn)
                count = 1 + _draw("count", key) % self.options.emoji
                others = [shelf[(place + step) % len(shelf)] for step in range(1, count)]
                yield Scene(key, (*others, drawing), key)

    def _paired(self, table: pa.Table, numbers: Sequence[int], turn: int) -> Iterable[Scene]:
        """Yield two scenes for each pair of drawings of one design that have other names and are no kin."""
        kin, called = table.column("kin").to_pylist(), table.column("label_en").to_pylist()
        for shelf in _shelves(table, numbers, f"named {turn}"):
            waiting: list[int] = []
            for drawing in shelf:
                other = next((w for w in waiting if kin[w] != kin[drawing] and called[w] != called[drawing]), None)
                if other is None:
                    waiting.append(drawing)
                    continue
                waiting.remove(other)
                seed = f"{numbers[other]} {numbers[drawing]} {turn}"
                for named, one in enumerate((other, drawing)):
                    yield Scene(_key(self.file, numbers[one], turn), (other, drawing), seed, named)


def _shelves(table: pa.Table, numbers: Sequence[int], *words: object) -> list[list[int]]:
    """Return the drawings of each design, in an order that depends on nothing but the words."""
    shelves: defaultdict[str, list[int]] = defaultdict(list)
    for drawing, family in enumerate(table.column("family").to_pylist()):
        shelves[family].append(drawing)
    return [sorted(shelf, key=lambda drawing: _draw(numbers[drawing], *words)) for shelf in shelves.values()]


def _key(file: SampleFile, number: int, turn: int) -> str:
    return f"{file.path.name}:{number + 1}:scene" + (f".{turn + 1}" if turn else "")


def _draw(*words: object) -> int:
    """Return a number that depends on nothing but the words."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, words)).encode()).digest()[:8], "big")
