"""Tokens that are copied out of the text that is read."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmlm_core.types import Features, Memory

__all__ = ["Copying"]

FAR = -1e4
"""The score of a position that is not there."""
LEAST = 1e-30
"""Below this share of the best position's, a token's probability of being copied counts as this."""


class Copying(nn.Module):
    """Adds to a token's probability that of the positions of the source where it stands, as CopyNet does.

    Tokens to write and positions to copy are the choices of one softmax (Gu et al. 2016, equations 4 to 6). A position
    scores as the product of the hidden state and of what was encoded there, each mapped.

    Args:
        width: D.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.queries = nn.Linear(width, width, bias=False)
        self.keys = nn.Linear(width, width)

    def remember(self, source: Features) -> Memory:
        """Return what is looked back at.

        Args:
            source: With `ids`. Shape of the values: [B, S, D].

        Shape: `keys` [B, S, D]; `ids` [B, S]; `valid` [B, 1, S]; `same`, of positions with one token [B, S, S];
        `first`, of the positions where a token stands for the first time [B, 1, S].
        """
        ids, valid = source.ids, source.valid
        assert ids is not None, "the traits ask for an encoder that gives ids"
        same = (ids.unsqueeze(1) == ids.unsqueeze(2)) & valid.unsqueeze(1) & valid.unsqueeze(2)
        before = same.tril(-1).any(-1)
        return {
            "keys": self.keys(source.values),
            "ids": ids,
            "valid": valid.unsqueeze(1),
            "same": same,
            "first": (valid & ~before).unsqueeze(1),
        }

    def forward(self, logits: Tensor, hidden: Tensor, memory: Memory) -> Tensor:
        """Return the logits with what is copied.

        Shape: logits [B, T, V], hidden [B, T, D] -> [B, T, V].
        """
        logits = logits.float()
        products = self.queries(hidden) @ memory["keys"].transpose(1, 2)
        scores = products.float().div(hidden.shape[-1] ** 0.5).masked_fill(~memory["valid"], FAR)
        best = scores.detach().amax(-1, keepdim=True)
        shares = (scores - best).exp() * memory["valid"]
        copied = (shares @ memory["same"].to(shares.dtype)).clamp(min=LEAST).log() + best
        places = memory["ids"].unsqueeze(1).expand_as(copied)
        more = functional.softplus(copied - logits.gather(-1, places))  # log(e^a + e^b) - b is the softplus of a - b
        return logits.scatter_add(-1, places, more.where(memory["first"], torch.zeros_like(more)))
