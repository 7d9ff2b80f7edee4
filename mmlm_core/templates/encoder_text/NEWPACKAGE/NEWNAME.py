"""The text encoder `NEWNAME`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmlm_core.errors import DataError
from mmlm_core.interfaces import Encoder, Processor, Tokenizer
from mmlm_core.tokens import TokenTable
from mmlm_core.types import Features
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from NEWPACKAGE.plugin import NEWCLASSOptions

__all__ = ["NEWCLASSEncoder"]


class _Texts(Processor):
    """Texts to `ids` and `mask` [I, T]."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int) -> None:
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens

    def process(self, item: Any) -> dict[str, Tensor]:
        """Return a text's ids, `ids` [T]."""
        if not isinstance(item, str):
            raise DataError(f"A text must be a string, not {type(item).__name__}.")
        return {"ids": torch.tensor(self.tokenizer.encode(item)[: self.max_tokens], dtype=torch.long)}

    def blank(self) -> dict[str, Tensor]:
        """Return the ids of an empty text."""
        return {"ids": torch.empty(0, dtype=torch.long)}

    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: torch.Generator | None) -> dict[str, Tensor]:
        """Pad the texts to the longest, and to one position at least."""
        lengths = torch.tensor([len(item["ids"]) for item in items])
        ids = pad_sequence([item["ids"] for item in items], batch_first=True, padding_value=self.tokenizer.pad)
        ids = ids if ids.shape[1] else ids.new_full((len(items), 1), self.tokenizer.pad)
        return {"ids": ids, "mask": torch.arange(ids.shape[1]) < lengths.unsqueeze(1)}


class NEWCLASSEncoder(Encoder):
    """A convolution over the tokens' vectors, added to them.

    Args:
        options: The options.
        tokenizer: Trained or loaded.
        table: The vocabulary's vectors, shared with whoever embeds or emits its tokens.
    """

    def __init__(self, options: NEWCLASSOptions, *, tokenizer: Tokenizer, table: TokenTable) -> None:
        super().__init__()
        self.width = table.width
        self.table = table
        self.convolution = nn.Conv1d(self.width, self.width, options.kernel, padding=options.kernel // 2)
        self._processor = _Texts(tokenizer, options.max_tokens)

    def processor(self) -> Processor:
        """Return the processor of the texts."""
        return self._processor

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Encode texts. Padding is zero before the convolution, so that it is as if there were none.

        Shape: ids [I, T], mask [I, T] -> values [I, T, D].
        """
        mask = items["mask"]
        values = self.table(items["ids"]) * mask.unsqueeze(-1)
        neighbours = self.convolution(values.transpose(1, 2)).transpose(1, 2)
        return Features(values + functional.gelu(neighbours), mask, ids=items["ids"])
