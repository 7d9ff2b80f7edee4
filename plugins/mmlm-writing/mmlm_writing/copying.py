"""Tokens that are copied out of the text that is read."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmlm_core.errors import MmlmError
from mmlm_core.types import Features, Memory

__all__ = ["Copying"]

FAR = -1e4
"""The score of a position that cannot be copied."""
LEAST = 1e-30
"""A token whose share of the best position's probability is not above this is not copied."""


class Copying(nn.Module):
    """Adds to a token's probability that of the positions of the source where it stands, as CopyNet does.

    Tokens to write and positions to copy are the choices of one softmax (Gu et al. 2016, equations 4 to 6). A position
    scores as the product of the hidden state and of what was encoded there, each mapped. What is no token of the
    vocabulary cannot be copied.

    Args:
        width: D.
        unknown: Id of the token that stands for others, which is not copied.
    """

    def __init__(self, width: int, unknown: int) -> None:
        super().__init__()
        self.unknown = unknown
        self.wanted = nn.Linear(width, width, bias=False)
        self.offered = nn.Linear(width, width)

    def remember(self, source: Features) -> Memory:
        """Return what is looked back at.

        Args:
            source: With `ids`. Shape of the values: [B, S, D].

        Returns:
            `offered`: what was encoded, mapped [B, S, D]; `ids` [B, S]; `valid`: what can be copied [B, S]; `first`:
            for each position the first one with the same token [B, S].

        Raises:
            MmlmError: The source does not say its tokens.
        """
        if source.ids is None:
            raise MmlmError(
                "`head.copy` copies tokens of the input `text`, whose features do not say them: its encoder gives "
                "`Features(..., ids=...)`, and its projection and the fusion keep them (`features.with_values`)."
            )
        valid = source.valid & (source.ids != self.unknown)
        same = (source.ids.unsqueeze(1) == source.ids.unsqueeze(2)) & valid.unsqueeze(1)
        first = same.to(torch.uint8).argmax(-1)
        return {"offered": self.offered(source.values), "ids": source.ids, "valid": valid, "first": first}

    def forward(self, logits: Tensor, hidden: Tensor, memory: Memory) -> Tensor:
        """Return the logits with what is copied.

        Shape: logits [B, T, V], hidden [B, T, D] -> [B, T, V].
        """
        logits, valid = logits.float(), memory["valid"].unsqueeze(1)
        products = self.wanted(hidden) @ memory["offered"].transpose(1, 2)
        scores = products.float().div(hidden.shape[-1] ** 0.5).masked_fill(~valid, FAR)
        best = scores.detach().amax(-1, keepdim=True)
        shares = (scores - best).exp() * valid
        shares = torch.zeros_like(shares).scatter_add(-1, memory["first"].unsqueeze(1).expand_as(shares), shares)
        copied = shares.clamp(min=LEAST).log() + best  # at the first position of a token, the sum over all of them
        places = memory["ids"].unsqueeze(1).expand_as(copied)
        more = functional.softplus(copied - logits.gather(-1, places))  # log(e^a + e^b) - b is the softplus of a - b
        return logits.scatter_add(-1, places, more * (shares > LEAST))
