"""The processor that brings the words of a text and their tags to the positions of word pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmlm_core.errors import DataError, did_you_mean, quoted
from mmlm_core.interfaces import TargetProcessor, Tokenizer
from mmlm_core.targets import IGNORED, has_targets
from mmlm_core.types import Example, Items

__all__ = ["CUT", "TagTargets", "tags_of"]

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
    """Numbers the tags, and finds the first word piece of each word.

    Words are encoded one by one, each after a text's first with a space before it, so that any tokenizer aligns; these
    pieces take the place of the text's own tokens, as many of them as the encoder keeps.

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
        words = [str(item).split() for item in example.inputs.get("text") or ()]
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
        self, example: Example, words: Sequence[Sequence[str]], inputs: dict[str, list[dict[str, Tensor]]]
    ) -> list[int]:
        """Put the pieces of each text's words into the inputs, and return where each word begins in its text."""
        given = inputs["text"] = list(inputs.get("text") or ())
        starts: list[int] = []
        for item, of in enumerate(words):
            places, ids = self._pieces(of)
            limit = len(ids)
            if item < len(given):
                kept, whole = len(given[item]["ids"]), len(self._tokenizer.encode(example.inputs["text"][item]))
                limit = kept if kept < whole else limit
                given[item] = {"ids": torch.tensor(ids[:limit], dtype=torch.long)}
            starts += [start if start < limit else CUT for start in places]
        cut = starts.count(CUT)
        if cut and not self._truncate:
            raise DataError(f"{cut} of {len(starts)} words have no token within `encoder.text.max_tokens`: raise that, "
                            "or give such words the most frequent tag with `head.truncate=true`.")  # fmt: skip
        return starts

    def _pieces(self, words: Sequence[str]) -> tuple[list[int], list[int]]:
        """Return where each word of a text begins among their pieces (`CUT`: it has none), and the pieces."""
        ids: list[int] = []
        starts: list[int] = []
        for number, word in enumerate(words):
            pieces = self._tokenizer.encode(word if number == 0 else f" {word}")
            starts.append(len(ids) if pieces else CUT)
            ids += pieces
        return starts, ids

    def _numbered(self, tags: Sequence[str]) -> list[int]:
        for tag in tags:
            if tag not in self._numbers:
                raise DataError(f"The tag `{tag}` is not in the training data.{did_you_mean(tag, self._tags)}")
        return [self._numbers[tag] for tag in tags]
