"""The loop of greedy decoding and sampling: a token for every row, until all texts are over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mmlm_core.generation.choosing import choose, draws
from mmlm_core.generation.rules import Rules
from mmlm_core.generation.stopping import Stopping
from mmlm_core.interfaces import GenerativeHead
from mmlm_core.reading import Reader
from mmlm_core.settings import DecodingOptions
from mmlm_core.types import Batch

__all__ = ["Drafts", "steps"]


@dataclass
class Drafts:
    """Texts as they grow.

    Attributes:
        ids: Their tokens, the end token too, padded behind. Shape: [N, max_tokens].
        counts: How many tokens they have. Shape: [N].
        totals: Log-probability of their tokens. Shape: [N].
        over: Which are over. Shape: [N].
    """

    ids: Tensor
    counts: Tensor
    totals: Tensor
    over: Tensor

    @classmethod
    def empty(cls, size: int, limit: int, pad: int, device: torch.device) -> Drafts:
        """Return so many empty texts, of so many tokens at most."""
        return cls(
            torch.full((size, limit), pad, device=device),
            torch.zeros(size, dtype=torch.long, device=device),
            torch.zeros(size, device=device),
            torch.zeros(size, dtype=torch.bool, device=device),
        )


def steps(head: GenerativeHead, batch: Batch, options: DecodingOptions, reader: Reader) -> Iterator[Drafts]:
    """Yield the drafts after each token, the same object each time: `n_best` texts of each row, side by side.

    Texts that are over stay as they are while others grow.
    """
    stopping = Stopping(head, options.stop)
    ids, lengths = head.prompt(batch)
    rules = Rules(head, batch, options, ids, lengths)
    logits = reader.begin(ids, lengths)
    drawn = draws(batch, options).to(logits.device) if options.temperature > 0 else None
    if options.n_best > 1:
        rows = torch.arange(batch.size, device=logits.device).repeat_interleave(options.n_best)
        reader.select(rows)
        rules.select(rows)
        logits = logits[rows]
    drafts = Drafts.empty(len(logits), options.max_tokens, head.pad, logits.device)
    for step in range(options.max_tokens):
        scores = rules.score(logits)
        tokens = choose(scores, options, None if drawn is None else drawn[:, step])
        added = scores.gather(1, tokens.unsqueeze(1)).squeeze(1)
        if step:
            tokens, added = tokens.masked_fill(drafts.over, head.pad), added.masked_fill(drafts.over, 0.0)
        drafts.ids[:, step] = tokens
        drafts.totals += added
        drafts.counts += ~drafts.over
        drafts.over |= stopping.over(tokens, drafts.ids[:, : step + 1])
        yield drafts
        if step + 1 == options.max_tokens or bool(drafts.over.all()):
            return
        rules.read(tokens, drafts.over)
        logits = reader.step(tokens)
