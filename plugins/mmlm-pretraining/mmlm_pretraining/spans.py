"""The processor that replaces spans of a text by sentinels."""

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

__all__ = ["SpanTargets", "draw_spans"]


class SpanTargets(TargetProcessor):
    """Replaces spans of each row's text by sentinels, and makes the text of sentinels and spans that is to be written.

    Args:
        tokenizer: The text encoder's.
        sentinels: Ids of the special tokens that stand for spans, in order.
        rate: Share of a text's tokens that are hidden, at least one.
        mean_span: Tokens of a span, on average.
    """

    def __init__(self, tokenizer: Tokenizer, sentinels: Sequence[int], rate: float, mean_span: float) -> None:
        self._begin, self._end, self._pad = tokenizer.begin, tokenizer.end, tokenizer.pad
        self._sentinels = list(sentinels)
        self._rate = rate
        self._mean_span = mean_span

    def process(self, example: Example, inputs: dict[str, list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        """Return the `ids` of the row's text. Shape: [N].

        Raises:
            DataError: The row has no text, or several.
        """
        texts = inputs.get("text") or []
        if len(texts) > 1:
            raise DataError(f"The row has {len(texts)} texts: `span_corruption` reads one. Map one column to `text`.")
        if not texts or not len(texts[0]["ids"]):
            raise DataError("The row has no text: there is nothing to hide.")
        return {"ids": texts[0]["ids"]}

    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Corrupt the texts of the inputs.

        Returns:
            `ids` [B, T], `begin` and all that is to be written but its end; `labels` [B, T], what follows each;
            `lengths` [B]; and `mask` [B, T] where these differ.
        """
        kept, written = zip(*(self._corrupt(row["ids"], generator) for row in targets), strict=True)
        text = inputs["text"]
        others = {name: value for name, value in text.tensors.items() if name not in ("ids", "mask")}
        inputs["text"] = replace(text, tensors={**others, **_padded(kept, self._pad)})
        before = [torch.cat([torch.tensor([self._begin]), row[:-1]]) for row in written]
        return {
            **_padded(before, self._pad),
            "labels": pad_sequence(list(written), batch_first=True, padding_value=IGNORED),
            "lengths": torch.tensor([len(row) for row in written]),
        }

    def _corrupt(self, ids: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Return a text with sentinels in the place of spans, and the sentinels with the spans behind them."""
        spans = draw_spans(len(ids), self._rate, self._mean_span, len(self._sentinels), drawn_from(ids, generator))
        kept: list[int] = []
        written: list[int] = []
        tokens, place = ids.tolist(), 0
        for sentinel, (begin, end) in zip(self._sentinels, spans, strict=False):
            kept += [*tokens[place:begin], sentinel]
            written += [sentinel, *tokens[begin:end]]
            place = end
        return torch.tensor([*kept, *tokens[place:]]), torch.tensor([*written, self._end])


def draw_spans(
    length: int, rate: float, mean_span: float, most: int, generator: torch.Generator
) -> list[tuple[int, int]]:
    """Return where the hidden spans of a text begin and end, in order.

    As T5 does (Raffel et al. 2020, `random_spans_noise_mask`): hidden and kept tokens are each cut into as many parts,
    at random, and follow each other in turns, the first being kept. A text of one token is hidden whole.

    Args:
        length: Tokens of the text.
        rate: Share of them that is hidden, at least one, and all but one at most.
        mean_span: Tokens of a span, on average.
        most: Spans at most.
        generator: The source of randomness.
    """
    if length == 1:
        return [(0, 1)]
    hidden = min(max(round(length * rate), 1), length - 1)
    count = min(max(round(hidden / mean_span), 1), hidden, length - hidden, most)
    place, spans = 0, []
    for kept, size in zip(_parts(length - hidden, count, generator), _parts(hidden, count, generator), strict=True):
        spans.append((place + kept, place + kept + size))
        place += kept + size
    return spans


def _parts(number: int, count: int, generator: torch.Generator) -> list[int]:
    """Return so many numbers, each at least 1, that add up to a number; all such lists are as likely."""
    cuts = (torch.randperm(number - 1, generator=generator)[: count - 1] + 1).sort().values.tolist()
    return [end - begin for begin, end in zip([0, *cuts], [*cuts, number], strict=True)]


def _padded(rows: Sequence[Tensor], pad: int) -> dict[str, Tensor]:
    """Return rows as `ids`, and their `mask` where lengths differ. Shape of each: [B, T]."""
    ids = pad_sequence(list(rows), batch_first=True, padding_value=pad)
    lengths = torch.tensor([len(row) for row in rows])
    mask = torch.arange(ids.shape[1]) < lengths.unsqueeze(1)
    return {"ids": ids} if bool(mask.all()) else {"ids": ids, "mask": mask}
