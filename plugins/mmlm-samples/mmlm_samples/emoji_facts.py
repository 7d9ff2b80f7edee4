"""The data source `emoji_facts`."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_core.interfaces import DataSource
from mmlm_core.types import Example
from mmlm_samples.emoji_facts_options import FACTS, EmojiFactsOptions
from mmlm_samples.files import path
from mmlm_samples.named_emoji import named_emoji
from mmlm_samples.rows import SPLITS, spread

__all__ = ["EmojiFactsSource"]


class EmojiFactsSource(DataSource):
    """Questions about the names of emoji, to be answered freely: the question is the input, the answer the target.

    The test asks about names that training never has, new phrases of known words; see `name_families`. Keys end in the
    kind of question: `emoji.parquet:17:group`.

    Args:
        options: The options.
    """

    def __init__(self, options: EmojiFactsOptions) -> None:
        self.kinds = [kind for kind in FACTS if not options.kinds or kind in options.kinds]
        self.limit = options.limit

    def splits(self) -> list[str]:
        """Return the splits."""
        return list(SPLITS)

    def read(self, split: str) -> Sequence[Example]:
        """Return the questions of a split, by name."""
        if split not in SPLITS:
            raise DataError(f"`data=emoji_facts` has no rows for the split `{split}`."
                            f"{did_you_mean(split, SPLITS)}{one_of(SPLITS)}")  # fmt: skip
        rows = [row for row, where in zip(*named_emoji(), strict=True) if where == split and row["tone"] == "none"]
        return spread([each for kind in self.kinds for each in _asked(kind, rows)], self.limit)


def _asked(kind: str, rows: Sequence[dict[str, Any]]) -> Iterator[Example]:
    if kind == "same_group":
        yield from _compared(rows)
        return
    question = {"group": "which group is {} in?", "subgroup": "what kind of thing is {}?"}[kind]
    joint = {"group": " and ", "subgroup": " "}[kind]
    for row in rows:
        if row["group"] != "component":
            yield _example(row, kind, question.format(row["label_en"]), row[kind].replace("-", joint))


def _compared(rows: Sequence[dict[str, Any]]) -> Iterator[Example]:
    """Ask of each name beside one of its group and one of another: as many a yes as a no, and no name tells."""
    groups: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: _drawn(row, "order")):
        groups[row["group"]].append(row)
    for row in rows:
        alike = [other for other in groups[row["group"]] if other is not row]
        others = [other for group in sorted(groups) if group != row["group"] for other in groups[group]]
        for place, (answer, choices) in enumerate((("yes", alike), ("no", others))):
            if alike and others:
                other = choices[_drawn(row, answer) % len(choices)]
                text = f"are {row['label_en']} and {other['label_en']} in one group?"
                yield _example(row, "same_group" if place == 0 else "same_group.2", text, answer)


def _example(row: dict[str, Any], kind: str, question: str, answer: str) -> Example:
    return Example(f"{path('emoji').name}:{row['number'] + 1}:{kind}", {"text": [question]}, answer)


def _drawn(row: dict[str, Any], *words: str) -> int:
    """Return a number that depends on nothing but the row and the words."""
    return int.from_bytes(hashlib.sha256("\0".join([row["label_en"], *words]).encode()).digest()[:8], "big")
