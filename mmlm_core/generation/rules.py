"""Which tokens may follow, and at what price: the repetition penalty, repeated n-grams, the head's constraints."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mmlm_core.generation.history import History
from mmlm_core.interfaces import Constraint, GenerativeHead
from mmlm_core.settings import DecodingOptions
from mmlm_core.types import Batch

__all__ = ["Rules"]


class Rules:
    """Turns the model's logits into the log-probabilities that a token is chosen by.

    A token that may not follow gets -inf; the others keep what the model says of them, so that a score is that of the
    model whatever the rules. What the head's constraints allow comes first: where a repeated n-gram is all that they
    leave, it may be repeated.

    Args:
        head: Of the model.
        batch: The rows.
        options: See `repetition_penalty` and `no_repeat_ngram`.
        ids: The prompts. Shape: [B, P].
        lengths: Of the prompts. Shape: [B].
    """

    def __init__(
        self, head: GenerativeHead, batch: Batch, options: DecodingOptions, ids: Tensor, lengths: Tensor
    ) -> None:
        self._penalty, self._ngram, self._end = options.repetition_penalty, options.no_repeat_ngram, head.end
        looks_back = self._penalty != 1 or self._ngram > 0
        self._history = History(ids, lengths, options.max_tokens) if looks_back else None
        given = head.constraints(batch)
        if given is not None and len(given) != batch.size:
            raise ValueError(f"{type(head).__name__}.constraints gives {len(given)} for {batch.size} rows.")
        self._constraints = None if given is None or all(each is None for each in given) else list(given)

    def score(self, logits: Tensor) -> Tensor:
        """Return the log-probabilities of the next tokens.

        Shape: [N, V] -> [N, V].
        """
        logits, vocabulary = logits.float(), logits.shape[-1]
        if self._history is not None and self._penalty != 1:
            cheaper = torch.where(logits > 0, logits / self._penalty, logits * self._penalty)
            logits = torch.where(self._history.tokens(vocabulary), cheaper, logits)
        scores = logits.log_softmax(-1)
        if self._constraints is not None:
            scores = scores.masked_fill(~_allowed(self._constraints, vocabulary).to(scores.device), -torch.inf)
        if self._history is not None and self._ngram:
            fresh = scores.masked_fill(self._history.repeats(self._ngram, vocabulary), -torch.inf)
            scores = torch.where(fresh.isfinite().any(-1, keepdim=True), fresh, scores)
        return scores

    def select(self, rows: Tensor) -> None:
        """Keep these rows, in this order; a row may stand several times.

        Shape: [N'].
        """
        if self._history is not None:
            self._history.select(rows)
        if self._constraints is not None:
            self._constraints = [self._constraints[row] for row in rows.tolist()]

    def read(self, tokens: Tensor, over: Tensor) -> None:
        """Go on to the next position.

        Args:
            tokens: What was chosen. Shape: [N].
            over: The texts that are over, or that no token leads on. Shape: [N].
        """
        if self._history is not None:
            self._history.add(tokens)
        if self._constraints is not None:
            steps = zip(self._constraints, tokens.tolist(), over.tolist(), strict=True)
            self._constraints = [None if done or now is None else now.after(token) for now, token, done in steps]


def _allowed(constraints: Sequence[Constraint | None], vocabulary: int) -> Tensor:
    """Return which tokens may follow in each row. Shape: [N, V]."""
    free = torch.ones(vocabulary, dtype=torch.bool)
    allowed = torch.stack([free if constraint is None else constraint.allowed() for constraint in constraints])
    for row in (~allowed.any(-1)).nonzero().flatten().tolist():
        raise ValueError(f"{type(constraints[row]).__name__}.allowed of row {row} allows no token: it must allow one.")
    return allowed
