"""The processor that brings the words of a text and their tags to the positions of word pieces."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmlm_core.errors import DataError, did_you_mean, quoted
from mmlm_core.interfaces import TargetProcessor, Tokenizer
from mmlm_core.targets import IGNORED, has_targets
from mmlm_core.types import Example, Items

__all__ = ["CUT", "TagTargets", "tags_of"]

WORD = re.compile(r"\S+")

CUT = -1
"""The start of a word that `max_tokens` cut off, or that a row has not."""


def tags_of(target: Any) -> list[str]:
    """Return the tags of a target: a list of them, or a text split at white space.

    Raises:
        DataError: It is neither.
    """
    if isinstance(target, str):
        return target.split()
    if isinstance(target, list | tuple) and all(isinstance(tag, str) and tag.strip() for tag in target):
        return list(target)
    raise DataError(f"The target must be a list of tags or a text of tags between white space, not {quoted(target)}.")


class TagTargets(TargetProcessor):
    """Numbers the tags, and finds the first word piece of each word: the first token that ends behind its beginning.

    Args:
        tokenizer: The text encoder's.
        tags: The tags of the training data, in order.
        truncate: Words that `max_tokens` cut have no part in the loss; else their row is refused.
    """

    def __init__(self, tokenizer: Tokenizer, tags: Sequence[str], truncate: bool) -> None:
        self._tokenizer = tokenizer
        self._tags = list(tags)
        self._numbers = {tag: number for number, tag in enumerate(tags)}
        self._truncate = truncate

    def process(self, example: Example, inputs: dict[str, list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        """Return `starts`, the place of each word's first piece in its text (`CUT`: none); `items`, which text of the
        row that is; and `tags`, their numbers.

        Raises:
            DataError: The target is no list of tags, has another length than the words, or has a tag that the training
                data has not; or words were cut and `truncate` is false.

        Shape: each [W].
        """
        tags = None if example.target is None else self._numbered(tags_of(example.target))
        words = [list(WORD.finditer(str(item))) for item in example.inputs.get("text") or ()]
        count = sum(map(len, words))
        if tags is not None and len(tags) != count:
            raise DataError(f"The target has {len(tags)} tags, and the text {count} words: each word must have "
                            "one tag.")  # fmt: skip
        items = [item for item, of in enumerate(words) for _ in of]
        made = {"starts": torch.tensor(self._align(example, words, inputs), dtype=torch.long),
                "items": torch.tensor(items, dtype=torch.long)}  # fmt: skip
        return made if tags is None else {**made, "tags": torch.tensor(tags, dtype=torch.long)}

    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Pad and stack.

        Returns:
            `starts` [B, W], where words begin among the positions of their row, `lengths` [B]; and `tags` [B, W],
            `IGNORED` where there is no word, unless in prediction.

        Raises:
            DataError: Some rows have tags and some have none.
        """
        length = inputs["text"].tensors["ids"].shape[1]
        starts = [row["starts"].where(row["starts"] == CUT, row["starts"] + row["items"] * length) for row in targets]
        made = {
            "starts": pad_sequence(starts, batch_first=True, padding_value=CUT),
            "lengths": torch.tensor([len(row) for row in starts]),
        }
        if has_targets(targets, "tags"):
            tags = [target["tags"] for target in targets]
            made["tags"] = pad_sequence(tags, batch_first=True, padding_value=IGNORED)
        return made

    def _align(
        self, example: Example, words: Sequence[Sequence[re.Match[str]]], inputs: Mapping[str, list[dict[str, Tensor]]]
    ) -> list[int]:
        """Return where each word begins among the tokens of its text that the encoder keeps; `CUT`: behind them."""
        starts: list[int] = []
        for text, of, given in zip(example.inputs.get("text") or (), words, inputs.get("text") or (), strict=True):
            parts = enumerate(self._tokenizer.offsets(text)[: len(given["ids"])])
            tokens = [(end, place) for place, (begin, end) in parts if end > begin]
            for word in of:
                behind = bisect_right(tokens, word.start(), key=itemgetter(0))
                starts.append(tokens[behind][1] if behind < len(tokens) else CUT)
        cut = starts.count(CUT)
        if cut and not self._truncate:
            raise DataError(f"{cut} of {len(starts)} words have no token within `encoder.text.max_tokens`: raise that, "
                            "or give such words the most frequent tag with `head.truncate=true`.")  # fmt: skip
        return starts

    def _numbered(self, tags: Sequence[str]) -> list[int]:
        for tag in tags:
            if tag not in self._numbers:
                raise DataError(f"The tag `{tag}` is not in the training data.{did_you_mean(tag, self._tags)}")
        return [self._numbers[tag] for tag in tags]
