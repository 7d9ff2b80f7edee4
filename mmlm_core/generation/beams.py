"""The loop of beam search: all rows and beams in one batch, and groups of beams that keep apart."""

from __future__ import annotations

import torch
from torch import Tensor

from mmlm_core.generation.generated import Generated
from mmlm_core.generation.rules import Rules
from mmlm_core.generation.stopping import Stopping
from mmlm_core.interfaces import GenerativeHead
from mmlm_core.reading import Reader
from mmlm_core.settings import DecodingOptions
from mmlm_core.types import Batch

__all__ = ["search"]


def search(head: GenerativeHead, batch: Batch, options: DecodingOptions, reader: Reader) -> list[list[Generated]]:
    """Return each row's best texts, best first: as many as there are beams, or fewer where fewer can be said.

    As in transformers with `early_stopping=False`: texts that are over leave the beams and are compared by their score;
    a row is done when no running beam can beat the worst of its `beams` ended ones, as far as can be told.

    With `beam_groups` the groups choose one after the other, and a token loses `diversity` for each beam of an earlier
    group that has just chosen it (Vijayakumar et al. 2016, Hamming diversity). Scores are the model's own all the same.
    """
    stopping = Stopping(head, options.stop)
    ids, lengths = head.prompt(batch)
    rules = Rules(head, batch, options, ids, lengths)
    logits = reader.begin(ids, lengths)
    device, vocabulary = logits.device, logits.shape[-1]
    count, size = options.beam_groups, options.beams // options.beam_groups
    rows = torch.arange(batch.size, device=device).repeat_interleave(options.beams)
    reader.select(rows)
    rules.select(rows)
    logits = logits[rows]
    groups = [Group(batch.size, size, options, stopping, head, device) for _ in range(count)]
    firsts = torch.arange(batch.size * count, device=device).view(batch.size, count, 1) * size
    for step in range(options.max_tokens):
        scores = rules.score(logits).view(batch.size, count, size, vocabulary)
        chosen = scores.new_zeros(batch.size, vocabulary) if count > 1 else None
        moves = []
        for number, group in enumerate(groups):
            moves.append(group.advance(scores[:, number], None if chosen is None else chosen * options.diversity))
            if chosen is not None:
                chosen.scatter_add_(1, moves[-1][1], torch.ones_like(group.running))
        if step + 1 == options.max_tokens or all(bool(group.done.all()) for group in groups):
            break
        parents, tokens = (torch.stack(each, 1) for each in zip(*moves, strict=True))
        rows = (firsts + parents).flatten()
        reader.reorder(rows, max(group.recent for group in groups))
        rules.select(rows)
        rules.read(tokens.flatten(), torch.stack([group.running for group in groups], 1).flatten().isinf())
        logits = reader.step(tokens.flatten())
    found = zip(*(group.texts() for group in groups), strict=True)
    return [_best([text for texts in several for text in texts]) for several in found]


class Group:
    """The beams of each row that compete with one another.

    Args:
        rows: B.
        beams: K.
        options: See `max_tokens` and `length_penalty`.
        stopping: Knows which texts are over.
        head: Of the model.
        device: Of the tensors.

    Attributes:
        running: Log-probability of each beam's text; -inf where there is none. Shape: [B, K].
        done: The rows that no further token can better. Shape: [B].
        recent: The last tokens before the newest in which a beam may differ from the one that it has continued.
    """

    def __init__(
        self,
        rows: int,
        beams: int,
        options: DecodingOptions,
        stopping: Stopping,
        head: GenerativeHead,
        device: torch.device,
    ) -> None:
        self._options, self._stopping, self._end, self._beams = options, stopping, head.end, beams
        self._step = self.recent = 0
        self._ids = torch.full((rows, beams, options.max_tokens), head.pad, device=device)
        self.running = torch.full((rows, beams), -torch.inf, device=device)
        self.running[:, 0] = 0.0  # all beams of a row begin alike: one of them counts
        self.done = torch.zeros(rows, dtype=torch.bool, device=device)
        self._best = torch.full((rows, beams), -torch.inf, device=device)
        self._best_ids = self._ids.clone()
        self._best_counts = torch.zeros(rows, beams, dtype=torch.long, device=device)
        self._best_over = torch.zeros(rows, beams, dtype=torch.bool, device=device)

    def advance(self, scores: Tensor, discount: Tensor | None) -> tuple[Tensor, Tensor]:
        """Take the best next tokens, set aside the texts that are over, and go on with the others.

        Args:
            scores: Log-probabilities of the next tokens. Shape: [B, K, V].
            discount: What each token loses. Shape: [B, V]. None: nothing.

        Returns:
            For each beam that goes on, the beam that it continues, and its new token. Shape of each: [B, K].
        """
        beams, vocabulary = self._beams, scores.shape[-1]
        totals = (self.running.unsqueeze(-1) + scores).flatten(1)
        judged = totals if discount is None else totals - discount.repeat(1, beams)
        ranks, flat = judged.topk(min(2 * beams, judged.shape[1]), dim=1)
        totals = totals.gather(1, flat)
        parents, tokens = flat // vocabulary, flat % vocabulary
        before, ids = self._ids, _take(self._ids, parents)
        ids[:, :, self._step] = tokens
        self._step += 1
        over = self._stopping.over(tokens, ids[:, :, : self._step])
        self._set_aside(ids, totals, over)
        _, keep = ranks.masked_fill(over, -torch.inf).topk(beams, dim=1)
        self.running = totals.masked_fill(over, -torch.inf).gather(1, keep)
        self.done |= self.running.amax(1) / self._step**self._options.length_penalty <= self._best[:, -1]
        self._ids = _take(ids, keep)
        differs = (self._ids != before)[:, :, : self._step - 1].any(1).any(0)
        self.recent = int(differs.cumsum(0).count_nonzero())
        return parents.gather(1, keep), tokens.gather(1, keep)

    def texts(self) -> list[list[Generated]]:
        """Return each row's texts, best first."""
        columns = (self._best_ids, self._best_counts, self._best, self._best_over)
        return [
            [
                Generated([token for token in ids[:count] if token != self._end], score, over)
                for ids, count, score, over in zip(*row, strict=True)
                if score > -torch.inf
            ]
            for row in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def _set_aside(self, ids: Tensor, totals: Tensor, over: Tensor) -> None:
        """Keep each row's best `beams` texts: those from before, and those that are over now (at last, all)."""
        takes = over | (self._step == self._options.max_tokens)
        takes[:, self._beams :] = False  # an end that is not among the best `beams` candidates does not count
        takes &= ~self.done.unsqueeze(1)
        scores = (totals / self._step**self._options.length_penalty).masked_fill(~takes, -torch.inf)
        self._best, order = torch.cat([self._best, scores], 1).topk(self._beams, dim=1)
        self._best_ids = _take(torch.cat([self._best_ids, ids], 1), order)
        self._best_counts = torch.cat([self._best_counts, torch.full_like(over, self._step, dtype=torch.long)], 1)
        self._best_counts = self._best_counts.gather(1, order)
        self._best_over = torch.cat([self._best_over, over], 1).gather(1, order)


def _take(ids: Tensor, places: Tensor) -> Tensor:
    """Return the texts at these places of each row. Shape: [B, N, L], [B, K] -> [B, K, L]."""
    return ids.gather(1, places.unsqueeze(-1).expand(-1, -1, ids.shape[-1]))


def _best(texts: list[Generated]) -> list[Generated]:
    """Return a row's texts, best first; what several groups say counts once."""
    distinct: dict[tuple[int, ...], Generated] = {}
    for text in sorted(texts, key=lambda text: -text.score):
        distinct.setdefault(tuple(text.ids), text)
    return list(distinct.values())
