"""Makes ids of texts, for the text encoders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Processor, Tokenizer
from mmlm_core.views import View, token_views

__all__ = ["TextProcessor"]


class TextProcessor(Processor):
    """Texts to `ids` [I, T], and `mask` [I, T] where their lengths differ.

    A text has its own tokens and no others: an empty one has no valid position, as a row without a text has none.

    Args:
        tokenizer: Trained or loaded.
        max_tokens: Tokens that are kept; `excess` says which texts have more.
        token_dropout: Share of the tokens that are replaced by the unknown one, in training.
    """

    def __init__(self, tokenizer: Tokenizer, max_tokens: int, token_dropout: float = 0.0) -> None:
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens
        self.token_dropout = token_dropout

    def length(self, item: Any) -> int:
        """Return the tokens of a text."""
        return min(len(self.tokenizer.encode(item)), self.max_tokens) if isinstance(item, str) else 0

    def process(self, item: Any) -> dict[str, Tensor]:
        """Return the ids of a text.

        Raises:
            DataError: It is no text.

        Shape: ids [T].
        """
        if not isinstance(item, str):
            raise DataError(f"A text must be a string, not {type(item).__name__}.")
        ids = self.tokenizer.encode(item)
        return {"ids": torch.tensor(ids[: self.max_tokens], dtype=torch.long)}

    def excess(self, item: Any) -> str:
        """See `Processor.excess`."""
        cut = len(self.tokenizer.encode(item)) > self.max_tokens
        return f"encoder.text.max_tokens={self.max_tokens}" if cut else ""

    def blank(self) -> dict[str, Tensor]:
        """Return the ids of an empty text."""
        return {"ids": torch.empty(0, dtype=torch.long)}

    def measures(self, tensors: Mapping[str, Tensor]) -> dict[str, float]:
        """Return a text's `tokens`, and how many of them are unknown."""
        ids = tensors["ids"]
        return {"tokens": len(ids), "unknown tokens": int((ids == self.tokenizer.unknown).sum())}

    def views(self, tensors: Mapping[str, Tensor]) -> list[View]:
        """Return each text as its tokens, without padding."""
        ids, mask = tensors["ids"].tolist(), tensors.get("mask")
        lengths = [len(row) for row in ids] if mask is None else mask.sum(1).tolist()
        return [*token_views(self.tokenizer, [row[:length] for row, length in zip(ids, lengths, strict=True)])]

    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: torch.Generator | None) -> dict[str, Tensor]:
        """Pad the texts to the longest, and to one position at least; drop tokens where this is training."""
        ids = [item["ids"] for item in items]
        lengths = torch.tensor([len(row) for row in ids])
        padded = pad_sequence(ids, batch_first=True, padding_value=self.tokenizer.pad)
        if padded.shape[1] == 0:
            padded = padded.new_full((len(ids), 1), self.tokenizer.pad)
        mask = torch.arange(padded.shape[1]) < lengths[:, None]
        if self.token_dropout > 0 and generator is not None:
            dropped = torch.rand(padded.shape, generator=generator) < self.token_dropout
            padded = padded.masked_fill(dropped & mask, self.tokenizer.unknown)
        return {"ids": padded} if bool(mask.all()) else {"ids": padded, "mask": mask}
