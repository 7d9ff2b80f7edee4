"""Which token is taken: the likeliest, or one drawn among those that are likely enough."""

from __future__ import annotations

from hashlib import blake2b

import torch
from torch import Tensor

from mmlm_core.settings import DecodingOptions
from mmlm_core.types import Batch

__all__ = ["choose", "draws", "narrow"]


def draws(batch: Batch, options: DecodingOptions) -> Tensor:
    """Return the random numbers of a whole generation, a row of them for each text.

    They depend on the seed, on the row's key and on the number of the text among the row's `n_best`, and on nothing
    else: a row says the same alone as in any batch. Rows of a batch without examples go by their number.

    Shape: [B * n_best, max_tokens], a row's texts side by side; from 0 to below 1.
    """
    keys = [example.key for example in batch.examples] or [str(row) for row in range(batch.size)]
    names = (f"{options.seed}:{number}:{key}" for key in keys for number in range(options.n_best))
    return torch.stack([torch.rand(options.max_tokens, dtype=torch.float64, generator=_seeded(name)) for name in names])


def _seeded(name: str) -> torch.Generator:
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big", signed=True))


def choose(scores: Tensor, options: DecodingOptions, drawn: Tensor | None) -> Tensor:
    """Return a token for each row.

    Args:
        scores: Log-probabilities; -inf where a token may not follow. Shape: [N, V].
        options: Of the sampling.
        drawn: A random number for each row, from 0 to below 1. Shape: [N]. None: the likeliest token.

    Shape: -> [N].
    """
    if drawn is None:
        return scores.argmax(-1)
    # In double precision, or a large vocabulary's least tokens would be lost in the sum.
    reached = narrow(scores, options).double().softmax(-1).cumsum(-1)
    return torch.searchsorted(reached, drawn.unsqueeze(1) * reached[:, -1:], right=True).squeeze(1)


def narrow(scores: Tensor, options: DecodingOptions) -> Tensor:
    """Return scores over the temperature, and -inf for tokens that are too unlikely to be drawn.

    `top_k`, `top_p` and `min_p` narrow one after the other, as in transformers. The likeliest token always stays.

    Shape: [N, V] -> [N, V].
    """
    scores = scores / options.temperature
    if options.top_k:
        least = scores.topk(min(options.top_k, scores.shape[-1]), dim=-1).values[:, -1:]
        scores = scores.masked_fill(scores < least, -torch.inf)
    if options.top_p < 1:
        ordered, order = scores.sort(dim=-1, descending=True)
        probabilities = ordered.softmax(-1)
        beyond = probabilities.cumsum(-1) - probabilities >= options.top_p
        beyond[:, 0] = False
        scores = scores.scatter(1, order, ordered.masked_fill(beyond, -torch.inf))
    if options.min_p > 0:
        probabilities = scores.softmax(-1)
        least = options.min_p * probabilities.amax(-1, keepdim=True)
        scores = scores.masked_fill(probabilities < least, -torch.inf)
    return scores
