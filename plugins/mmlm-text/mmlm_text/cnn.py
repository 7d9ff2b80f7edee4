"""The text encoder that looks for short sequences of words."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmlm_core.interfaces import Encoder, Processor, Tokenizer
from mmlm_core.tokens import TokenTable
from mmlm_core.types import Features
from mmlm_text.options import CnnOptions, TextFeatures
from mmlm_text.processor import TextProcessor
from mmlm_text.table import fill_table, own_table

__all__ = ["CnnEncoder"]


class CnnEncoder(Encoder):
    """Convolutions of several lengths side by side, each with a ReLU, and their greatest values (Kim 2014).

    A convolution reads zeros beyond the text's ends, so that a text may be shorter than it.

    Args:
        options: The options.
        tokenizer: Trained or loaded.
        table: The vocabulary's vectors, shared with whoever embeds or emits its tokens.
    """

    def __init__(self, options: CnnOptions, *, tokenizer: Tokenizer, table: TokenTable) -> None:
        super().__init__()
        self.options = options
        self.tokenizer = tokenizer
        self.table = own_table(options, table)
        self.width = options.channels * len(options.sizes)
        self.convolutions = nn.ModuleList(nn.Conv1d(self.table.width, options.channels, size) for size in options.sizes)
        self.dropout = nn.Dropout(options.dropout)

    def initialise(self) -> str:
        """See `Encoder.initialise`."""
        return fill_table(self.table, self.tokenizer, self.options)

    def processor(self) -> Processor:
        """Return the processor of the texts."""
        return TextProcessor(self.tokenizer, self.options.max_tokens, self.options.token_dropout)

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Read the texts.

        Shape: ids [I, T], mask [I, T] or none -> values [I, 1, D] where they are pooled, else [I, T, D].
        """
        vectors, mask = self.table(items["ids"]), items.get("mask")
        if mask is not None:
            vectors = vectors.masked_fill(~mask.unsqueeze(-1), 0.0)
        vectors = vectors.transpose(1, 2)
        read = [
            convolution(functional.pad(vectors, ((size - 1) // 2, size // 2)))
            for convolution, size in zip(self.convolutions, self.options.sizes, strict=True)
        ]  # as many positions as there are tokens
        values = functional.relu(torch.cat(read, dim=1)).transpose(1, 2)
        if self.options.features is TextFeatures.pooled:
            if mask is not None:
                values, mask = values.masked_fill(~mask.unsqueeze(-1), 0.0), mask.any(1, keepdim=True)
            return Features(self.dropout(values.amax(1, keepdim=True)), mask)
        return Features(self.dropout(values), mask, ids=items["ids"])
