"""The text encoder that reads tokens in their context."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmlm_core.errors import DataError, OptionError
from mmlm_core.interfaces import Encoder, Processor, Tokenizer
from mmlm_core.tokens import TokenTable
from mmlm_core.types import Features
from mmlm_text.options import Positions, TransformerOptions
from mmlm_text.processor import TextProcessor
from mmlm_text.table import fill_table, own_table

__all__ = ["TransformerEncoder"]


class TransformerEncoder(Encoder):
    """A bidirectional Transformer over a text (Vaswani et al. 2017), with the normalisation before each branch.

    Args:
        options: The options.
        tokenizer: Trained or loaded.
        table: The vocabulary's vectors, shared with whoever embeds or emits its tokens.

    Raises:
        OptionError: The heads do not divide the width.
    """

    def __init__(self, options: TransformerOptions, *, tokenizer: Tokenizer, table: TokenTable) -> None:
        super().__init__()
        self.options = options
        self.tokenizer = tokenizer
        self.table = own_table(options, table)
        self.width = self.table.width
        if self.width % options.heads:
            raise OptionError(f"`heads` must divide the width of the token table, {self.width}, not {options.heads}.")
        self.scale = 1.0
        if options.positions is Positions.LEARNED:
            self.positions = nn.Parameter(torch.empty(options.max_tokens, self.width).normal_(std=0.02))
        else:
            self.scale = math.sqrt(self.width)
            self.register_buffer("positions", _sinusoids(options.max_tokens, self.width), persistent=False)
        self.dropout = nn.Dropout(options.dropout)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(self.width, options.heads, 4 * self.width, options.dropout, "gelu",
                                       batch_first=True, norm_first=True)
            for _ in range(options.depth)
        )  # fmt: skip
        self.norm = nn.LayerNorm(self.width)

    def initialise(self) -> str:
        """See `Encoder.initialise`."""
        return fill_table(self.table, self.tokenizer, self.options)

    def stages(self) -> Sequence[Sequence[nn.Module | nn.Parameter]]:
        """Return the tokens' vectors with the learned positions, then each layer. See `Encoder.stages`."""
        positions = [self.positions] if isinstance(self.positions, nn.Parameter) else []
        return [[self.table, *positions], *([layer] for layer in self.layers)]

    def processor(self) -> Processor:
        """Return the processor of the texts."""
        return TextProcessor(self.tokenizer, self.options.max_tokens, self.options.token_dropout)

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Read the texts.

        Shape: ids [I, T], mask [I, T] or none -> values [I, T, D].
        """
        ids, mask = items["ids"], items.get("mask")
        length = ids.shape[1]
        if length > self.options.max_tokens:
            raise DataError(
                f"A text has {length} tokens; `max_tokens` of the text encoder is {self.options.max_tokens}."
            )
        hidden = self.dropout(self.table(ids) * self.scale + self.positions[:length])
        ignored = None
        if mask is not None:
            ignored = mask.logical_not() & mask.any(dim=1, keepdim=True)  # an empty text attends to its padding
        for layer in self.layers:
            hidden = layer(hidden, src_key_padding_mask=ignored)
        return Features(self.norm(hidden), mask, ids=ids)


def _sinusoids(count: int, width: int) -> Tensor:
    """Return the positions of Vaswani et al. 2017, section 3.5.

    Shape: [count, width].
    """
    angles = torch.arange(count)[:, None] * torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :width]
