"""The processor that brings answers to the positions of word pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmlm_core.errors import DataError
from mmlm_core.interfaces import TargetProcessor, Tokenizer
from mmlm_core.targets import has_targets
from mmlm_core.types import Example, Items
from mmlm_heads.answers import answers_of, place_of

__all__ = ["NOWHERE", "SpanTargets"]

NOWHERE = -1
"""The position of a token that a row has not."""


class SpanTargets(TargetProcessor):
    """Finds the first and the last token of each answer in the last text of its row, which is the context.

    The texts before it are the question, each closed by `end`, so that the model sees where the context begins.

    Args:
        tokenizer: The text encoder's.
        truncate: An answer that `max_tokens` cut off is taught as none; else its row is refused.
    """

    def __init__(self, tokenizer: Tokenizer, truncate: bool) -> None:
        self._tokenizer = tokenizer
        self._truncate = truncate

    def process(self, example: Example, inputs: dict[str, list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        """Return the `offsets` of the context's tokens, and which `item` it is; where there is a target, the `first`
        and the `last` token of the answer, counted from 1 (0: there is none).

        Shape: offsets [C, 2], others [].

        Raises:
            DataError: The target is no answer; or it is not in the context, or was cut off and `truncate` is false.
        """
        texts, given = example.inputs.get("text") or (), inputs.get("text") or []
        answers = None if example.target is None else answers_of(example.target)
        context = str(texts[-1]) if texts else ""
        offsets = self._tokenizer.offsets(context)[: len(given[-1]["ids"])] if given else []
        made = {
            "offsets": torch.tensor(offsets, dtype=torch.long).reshape(-1, 2),
            "item": torch.tensor(max(len(given) - 1, 0)),
        }
        inputs["text"] = [*map(self._closed, texts, given[:-1]), *given[-1:]]
        if answers is None:
            return made
        first, last = 0, 0
        if answers:
            first, last = self._tokens(place_of(answers[0], context), offsets)
            for answer in answers[1:]:
                place_of(answer, context)
        return {**made, "first": torch.tensor(first), "last": torch.tensor(last)}

    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Pad and stack.

        Returns:
            `positions` [B, C], where the context's tokens stand among those of their row, `NOWHERE` where it has fewer;
            `offsets` [B, C, 2]; and `first` and `last` [B], unless in prediction.

        Raises:
            DataError: Some rows have a target and some have none.
        """
        length = inputs["text"].tensors["ids"].shape[1]
        places = [torch.arange(len(row["offsets"])) + row["item"] * length for row in targets]
        made = {
            "positions": pad_sequence(places, batch_first=True, padding_value=NOWHERE),
            "offsets": pad_sequence([row["offsets"] for row in targets], batch_first=True),
        }
        if has_targets(targets, "first"):
            made |= {name: torch.stack([row[name] for row in targets]) for name in ("first", "last")}
        return made

    def _closed(self, text: Any, item: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return an item with `end` behind its tokens; in the place of the last where the encoder cut it."""
        ids = item["ids"]
        kept = ids[:-1] if len(ids) < len(self._tokenizer.encode(str(text))) else ids
        return {"ids": torch.cat([kept, torch.tensor([self._tokenizer.end])])}

    def _tokens(self, place: tuple[int, int], offsets: Sequence[tuple[int, int]]) -> tuple[int, int]:
        """Return the first and the last token that have a part of what stands at a place, counted from 1."""
        begin, end = place
        touched = [number for number, (start, stop) in enumerate(offsets, 1) if start < end and stop > begin]
        if touched and offsets[-1][1] >= end:
            return touched[0], touched[-1]
        if self._truncate:
            return 0, 0
        raise DataError(f"The answer ends at character {end} of its context, of which `encoder.text.max_tokens` keeps "
                        f"{offsets[-1][1] if offsets else 0}: raise that, or teach such rows as having no answer with "
                        "`head.truncate=true`.")  # fmt: skip
