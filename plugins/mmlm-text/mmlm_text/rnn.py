"""The text encoder that reads tokens both ways, one after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from mmlm_core.both_ways import read_both_ways
from mmlm_core.interfaces import Encoder, Processor, Tokenizer
from mmlm_core.tokens import TokenTable
from mmlm_core.types import Features
from mmlm_text.options import Cell, RnnOptions
from mmlm_text.processor import TextProcessor
from mmlm_text.table import fill_table, own_table

__all__ = ["RnnEncoder"]


class RnnEncoder(Encoder):
    """A GRU or LSTM in each direction; a token's features are the states of both at it (Schuster & Paliwal 1997).

    Args:
        options: The options.
        tokenizer: Trained or loaded.
        table: The vocabulary's vectors, shared with whoever embeds or emits its tokens.
    """

    def __init__(self, options: RnnOptions, *, tokenizer: Tokenizer, table: TokenTable) -> None:
        super().__init__()
        self.options = options
        self.tokenizer = tokenizer
        self.table = own_table(options, table)
        self.width = options.width
        cell = nn.LSTM if options.cell is Cell.lstm else nn.GRU
        self.dropout = nn.Dropout(options.dropout)
        self.layers = nn.ModuleList(
            cell(options.width if layer else self.table.width, options.width // 2, batch_first=True, bidirectional=True)
            for layer in range(options.depth)
        )

    def initialise(self) -> str:
        """See `Encoder.initialise`."""
        return fill_table(self.table, self.tokenizer, self.options)

    def stages(self) -> Sequence[Sequence[nn.Module | nn.Parameter]]:
        """Return the tokens' vectors, then each layer. See `Encoder.stages`."""
        return [[self.table], *([layer] for layer in self.layers)]

    def processor(self) -> Processor:
        """Return the processor of the texts."""
        return TextProcessor(self.tokenizer, self.options.max_tokens, self.options.token_dropout)

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Read the texts; the way back begins at each one's own end.

        Shape: ids [I, T], mask [I, T] or none -> values [I, T, D].
        """
        hidden, mask = self.table(items["ids"]), items.get("mask")
        lengths = None if mask is None else mask.sum(1).cpu()
        for layer in self.layers:
            hidden = read_both_ways(layer, self.dropout(hidden), lengths)
        return Features(hidden, mask, ids=items["ids"])
