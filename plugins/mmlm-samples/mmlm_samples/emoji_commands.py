"""The data source `emoji_commands`."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from typing import Any

from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_core.interfaces import DataSource
from mmlm_core.types import Example
from mmlm_samples.emoji_commands_options import EmojiCommandsOptions
from mmlm_samples.named_emoji import named_emoji
from mmlm_samples.rows import SPLITS, spread

__all__ = ["EmojiCommandsSource"]

ACTIONS = {"draw": ("draw", "paint", "put"), "remove": ("remove", "take away", "delete"), "count": ("count",)}
"""What is to be done, and the words for it."""
PLACES = {
    "left": ("on the left", "to the left"),
    "right": ("on the right", "to the right"),
    "middle": ("in the middle",),
}
SIZES = {"small": ("small", "tiny", "little"), "large": ("large", "big", "huge")}
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
POLITE = ("", "", "please ", "could you ", "now ")


class EmojiCommandsSource(DataSource):
    """Commands that are made by code, always the same: the command is the input, its form the target, as JSON.

    For example `please draw two tiny cat faces on the left`, that is
    `{"action":"draw","items":[{"name":"cat face","count":2,"size":"small"}],"place":"left"}`. The test's names are
    those that training never has, new phrases of known words; see `name_families`.

    Args:
        options: The options.
    """

    def __init__(self, options: EmojiCommandsOptions) -> None:
        self.sizes = {split: options.rows if split == "train" else options.rows // 10 for split in SPLITS}
        self.limit = options.limit

    def splits(self) -> list[str]:
        """Return the splits."""
        return list(SPLITS)

    def read(self, split: str) -> Sequence[Example]:
        """Return the commands of a split."""
        if split not in SPLITS:
            raise DataError(f"`data=emoji_commands` has no rows for the split `{split}`."
                            f"{did_you_mean(split, SPLITS)}{one_of(SPLITS)}")  # fmt: skip
        labels = (row["label_en"] for row, where in zip(*named_emoji(), strict=True) if where == split)
        # Names whose plural is formed by an `s`, or nearly.
        names = sorted({label for label in labels if re.fullmatch(r"[a-z]+( [a-z]+){0,3}(?<!s)", label)})
        return [_example(split, number, names) for number in spread(range(self.sizes[split]), self.limit)]


def _example(split: str, number: int, names: Sequence[str]) -> Example:
    """Return a command and its form."""
    draw = random.Random(f"emoji_commands {split} {number}")
    action = draw.choice(list(ACTIONS))
    asked = [_item(draw, name) for name in draw.sample(names, draw.choice((1, 1, 2)))]
    form: dict[str, Any] = {"action": action, "items": [item for _, item in asked]}
    said = f"{draw.choice(POLITE)}{draw.choice(ACTIONS[action])} {' and '.join(words for words, _ in asked)}"
    if draw.random() < 0.5:
        form["place"] = draw.choice(list(PLACES))
        said = f"{said} {draw.choice(PLACES[form['place']])}"
    target = json.dumps(form, separators=(",", ":"))
    return Example(f"emoji_commands:{split}:{number + 1}", {"text": [said]}, target)


def _item(draw: random.Random, name: str) -> tuple[str, dict[str, Any]]:
    """Return one of the things that a command is about, in words and in its form."""
    count = draw.choice((1, 1, 1, *range(2, 10)))
    size = draw.choice((None, None, *SIZES))
    item: dict[str, Any] = {"name": name, "count": count} | ({"size": size} if size else {})
    words = [draw.choice(SIZES[size]) if size else "", f"{name}s" if count > 1 else name]
    called = " ".join(filter(None, words))
    number = NUMBERS[count - 1] if count > 1 else draw.choice(("a", "one", "the"))
    return f"{number} {called}", item
