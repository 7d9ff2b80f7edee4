"""The processor that hides tokens of a text for masked language modelling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmlm_core.errors import DataError
from mmlm_core.interfaces import TargetProcessor, Tokenizer
from mmlm_core.targets import IGNORED
from mmlm_core.types import Example, Items
from mmlm_pretraining.drawing import drawn_from
from mmlm_pretraining.words import word_numbers

__all__ = ["MaskingTargets", "choose"]

HIDDEN, REPLACED = 0.8, 0.1
"""Of the chosen tokens, the share that training hides, and that it replaces by others (Devlin et al. 2019)."""


class MaskingTargets(TargetProcessor):
    """Chooses tokens of each row's texts, corrupts them in the inputs, and keeps them as labels.

    Args:
        tokenizer: The text encoder's.
        rate: Share of a row's tokens that are chosen, at least one.
        whole_words: Tokens of one word are chosen together.
    """

    def __init__(self, tokenizer: Tokenizer, rate: float, whole_words: bool) -> None:
        self._tokenizer = tokenizer
        self._rate = rate
        self._whole_words = whole_words
        special = {tokenizer.pad, tokenizer.begin, tokenizer.end, tokenizer.unknown, tokenizer.mask}
        self._ordinary = torch.tensor([token for token in range(tokenizer.vocabulary) if token not in special])

    def process(self, example: Example, inputs: dict[str, list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        """Return the row's `ids`, the `items` and `places` in these where they stand, and the `words` they belong to;
        and `texts`, how many items there are.

        Shape: each [N], but texts [].

        Raises:
            DataError: The row has no text.
        """
        texts = inputs.get("text") or []
        if not any(len(text["ids"]) for text in texts):
            raise DataError("The row has no text: there is nothing to hide.")
        lengths = [len(text["ids"]) for text in texts]
        return {
            "ids": torch.cat([text["ids"] for text in texts]),
            "items": torch.repeat_interleave(torch.arange(len(texts)), torch.tensor(lengths)),
            "places": torch.cat([torch.arange(length) for length in lengths]),
            "words": torch.tensor(self._words(example, lengths)),
            "texts": torch.tensor(len(texts)),
        }

    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Corrupt the texts of the inputs.

        Returns:
            `positions` [B, M], where the chosen tokens stand among those of their row, and `labels` [B, M], which they
            were; `IGNORED` where a row has fewer.
        """
        text = inputs["text"]
        corrupted = text.tensors["ids"].clone()
        length = corrupted.shape[1]
        positions, labels, first = [], [], 0
        for row in targets:
            chosen = choose(row["words"], self._rate, drawn_from(row["ids"], generator))
            items, places, ids = (row[name][chosen] for name in ("items", "places", "ids"))
            corrupted[first + items, places] = self._corrupt(ids, generator)
            positions.append(items * length + places)
            labels.append(ids)
            first += int(row["texts"])
        inputs["text"] = replace(text, tensors={**text.tensors, "ids": corrupted})
        return {
            "positions": pad_sequence(positions, batch_first=True),
            "labels": pad_sequence(labels, batch_first=True, padding_value=IGNORED),
        }

    def _corrupt(self, ids: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return what stands in the place of chosen tokens."""
        hidden = torch.full_like(ids, self._tokenizer.mask)
        if generator is None:
            return hidden
        drawn = torch.rand(ids.shape, generator=generator)
        others = self._ordinary[torch.randint(len(self._ordinary), ids.shape, generator=generator)]
        return torch.where(drawn < HIDDEN, hidden, torch.where(drawn < HIDDEN + REPLACED, others, ids))

    def _words(self, example: Example, lengths: Sequence[int]) -> list[int]:
        """Return the number of each token's word, over all texts of a row; each token is one, where words are not."""
        if not self._whole_words:
            return list(range(sum(lengths)))
        numbers: list[int] = []
        for text, length in zip(example.inputs["text"], lengths, strict=True):
            first = numbers[-1] + 1 if numbers else 0
            numbers += [first + number for number in word_numbers(text, self._tokenizer.offsets(text)[:length])]
        return numbers


def choose(words: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """Return the tokens of some words, in order: as many as the rate says, but at least one word.

    Words are taken in random order; one that would make too many tokens is passed over (as in BERT's code).

    Args:
        words: The number of each token's word, ascending from 0. Shape: [N].
        rate: Share of the tokens.
        generator: The source of randomness.

    Shape: [M].
    """
    most = max(1, round(rate * len(words)))
    sizes = torch.bincount(words)
    order = torch.randperm(len(sizes), generator=generator)
    if len(sizes) == len(words):
        return order[:most].sort().values
    taken, room = [], most
    for word, size in zip(order.tolist(), sizes[order].tolist(), strict=True):
        if size <= room:
            taken.append(word)
            room -= size
    return torch.isin(words, torch.tensor(taken or order[:1].tolist())).nonzero().squeeze(1)
