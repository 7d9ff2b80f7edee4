"""The text encoder that looks tokens up."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from mmlm_core.interfaces import Encoder, Processor, Tokenizer
from mmlm_core.tokens import TokenTable
from mmlm_core.types import Features
from mmlm_text.options import EmbeddingOptions
from mmlm_text.processor import TextProcessor
from mmlm_text.table import fill_table, own_table

__all__ = ["EmbeddingEncoder"]


class EmbeddingEncoder(Encoder):
    """The vectors of a text's tokens, each apart from the others.

    Args:
        options: The options.
        tokenizer: Trained or loaded.
        table: The vocabulary's vectors, shared with whoever embeds or emits its tokens.
    """

    def __init__(self, options: EmbeddingOptions, *, tokenizer: Tokenizer, table: TokenTable) -> None:
        super().__init__()
        self.options = options
        self.tokenizer = tokenizer
        self.table = own_table(options, table)
        self.width = self.table.width

    def initialise(self) -> str:
        """See `Encoder.initialise`."""
        return fill_table(self.table, self.tokenizer, self.options)

    def processor(self) -> Processor:
        """Return the processor of the texts."""
        return TextProcessor(self.tokenizer, self.options.max_tokens, self.options.token_dropout)

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Look the tokens up.

        Shape: ids [I, T], mask [I, T] or none -> values [I, T, D].
        """
        return Features(self.table(items["ids"]), items.get("mask"), ids=items["ids"])
