"""The losses over pairs: InfoNCE as in CLIP, and SigLIP's sigmoid loss. Each a sum over the own rows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Sides", "infonce", "sigmoid"]


@dataclass(frozen=True)
class Sides:
    """The own rows of a batch, against all rows: those of other processes too.

    Attributes:
        own: Embeddings of both modalities, of length 1. Shape of each: [B, E].
        all: The same of all rows. Shape of each: [N, E].
        compared: Whether a row is compared with another: not with rows that share an item with it, and are not itself,
            nor with incomplete ones. A row of which nothing is compared is incomplete itself. Shape: [B, N].
        offset: The own rows' first place among all.
    """

    own: tuple[Tensor, Tensor]
    all: tuple[Tensor, Tensor]
    compared: Tensor
    offset: int

    @property
    def places(self) -> Tensor:
        """Each own row's place among all. Shape: [B]."""
        return torch.arange(len(self.compared), device=self.compared.device) + self.offset

    @property
    def complete(self) -> Tensor:
        """Whether an own row has both items. Shape: [B]."""
        return self.compared.any(1)


def infonce(sides: Sides, scale: Tensor) -> Tensor:
    """Return the symmetric cross-entropy of finding each row's other item among those of all rows, summed over rows.

    Radford et al. 2021, figure 3: half of it from either side.

    Args:
        sides: The rows.
        scale: What similarities are multiplied by: 1 / temperature. Shape: [].
    """
    places, total = sides.places[sides.complete], scale.new_zeros(())
    for mine, others in ((0, 1), (1, 0)):
        logits = scale * sides.own[mine] @ sides.all[others].T
        logits = logits.masked_fill(~sides.compared, -torch.inf)[sides.complete]
        total = total + functional.cross_entropy(logits, places, reduction="sum") / 2
    return total


def sigmoid(sides: Sides, scale: Tensor, bias: Tensor) -> Tensor:
    """Return the loss of telling each pair of rows alone whether they belong together, summed over rows.

    Zhai et al. 2023, algorithm 1: the sum over all pairs; it is divided by the rows, not by the pairs.

    Args:
        sides: The rows.
        scale: Shape: [].
        bias: Added to every logit. Shape: [].
    """
    logits = scale * sides.own[0] @ sides.all[1].T + bias
    signs = torch.full_like(logits, -1.0).scatter_(1, sides.places.unsqueeze(1), 1.0)
    return -(functional.logsigmoid(signs * logits) * sides.compared).sum()
