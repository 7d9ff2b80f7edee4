"""A data source of a few sentences."""

import random
from collections.abc import Sequence

from mmlm_core.errors import DataError
from mmlm_core.interfaces import DataSource
from mmlm_core.types import Example
from mmlm_toys.plugin import ToyOptions

WORDS = [f"word {number}" for number in range(30)]


class DrawnRows(Sequence):
    """Rows that are drawn when they are looked at."""

    def __init__(self, rows: list[Example]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Example:
        row = self.rows[index]
        return Example(row.key, {"text": [random.choice(WORDS)]}, row.target)


class ToyData(DataSource):
    """Each word, with its length as the target."""

    def __init__(self, options: ToyOptions) -> None:
        self.fault = options.fault
        self.reads = 0
        self.words = list(WORDS)
        if self.fault == "order_of_a_set":
            self.words = list(set(WORDS))
        if self.fault == "shuffles_when_opened":
            random.shuffle(self.words)

    def splits(self) -> list[str]:
        return ["train", "dev"] if self.fault == "another_split" else ["train", "test"]

    def read(self, split: str) -> Sequence[Example]:
        if split not in self.splits() and self.fault != "reads_any_split":
            raise DataError(f"There is no split `{split}`.") if self.fault != "bare_error" else KeyError(split)
        self.reads += 1
        words = self.words[:20] if split == "train" else self.words[20:]
        if self.fault == "empty_split" and split == "test":
            words = []
        if self.fault == "shuffles":
            words = random.sample(words, len(words))
        if self.fault == "shorter_every_time":
            words = words[: len(words) - self.reads]
        rows = [self._row(place, word) for place, word in enumerate(words)]
        if self.fault == "does_not_pickle":
            rows[0].inputs["text"].append(lambda: "later")
        return DrawnRows(rows) if self.fault == "drawn_rows" else rows

    def _row(self, place: int, word: str) -> Example:
        key = "toy" if self.fault == "one_key" else f"toy:{place}"
        return Example(key, {"text": [word]}, None if self.fault == "has_no_target" else str(len(word)))
