"""The data source `emoji_questions`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmlm_core.interfaces import DataSource
from mmlm_core.types import Example
from mmlm_samples.emoji_questions_options import KINDS, EmojiQuestionsOptions
from mmlm_samples.questions import KINDS_OF_QUESTION, Drawing, Drawings
from mmlm_samples.rows import SampleFile, spread

__all__ = ["EmojiQuestionsSource"]


class EmojiQuestionsSource(DataSource):
    """Questions about the standard pictures of `emoji`: picture and question are the inputs, the answer the target.

    The test is about a design that training never shows (twemoji), validation about concepts that it never shows. The
    questions are made anew on reading, always the same. Their keys end in their kind: `emoji.parquet:17:colour`.

    Args:
        options: The options.
    """

    def __init__(self, options: EmojiQuestionsOptions) -> None:
        self.kinds = [kind for kind in KINDS if not options.kinds or kind in options.kinds]
        self.limit = options.limit
        keep: dict[str, Sequence[object]] = {"standard": [True]}
        if options.families:
            keep["family"] = options.families
        self.file = SampleFile(
            "emoji", {}, None, None, keep=keep, merge={} if options.validate else {"validation": "train"},
            called="emoji_questions",
        )  # fmt: skip

    def splits(self) -> list[str]:
        """Return the splits that have pictures of these families."""
        return self.file.splits()

    def read(self, split: str) -> Sequence[Example]:
        """Return the questions of a split, by picture."""
        numbers = self.file.numbers(split)
        columns = ["picture", "family", "label_en", "group", "tone", "kin"]
        table = self.file.columns(dict.fromkeys(columns, "data")).take(numbers)
        cells = [table.column(column).to_pylist() for column in columns]
        drawings = Drawings(Drawing(*row) for row in zip(numbers, *cells, strict=True))
        rows = []
        for kind in self.kinds:
            asked = KINDS_OF_QUESTION[kind](drawings)
            for place, question in enumerate(asked):
                rows.append((question.drawing.number, self.kinds.index(kind), place, kind, question))
        rows.sort(key=lambda row: row[:3])
        listed, times = [], dict[tuple[int, str], int]()
        for number, _, _, kind, question in rows:
            time = times[number, kind] = times.get((number, kind), 0) + 1
            key = f"{self.file.path.name}:{number + 1}:{kind}" + (f".{time}" if time > 1 else "")
            inputs: dict[str, list[Any]] = {"image": [question.drawing.picture], "text": [question.text]}
            listed.append(Example(key, inputs, question.answer))
        return spread(listed, self.limit)
