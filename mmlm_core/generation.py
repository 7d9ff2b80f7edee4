"""Writes token after token with any model whose head generates: greedy, sampling, beams; whole or streaming."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mmlm_core.interfaces import GenerativeHead
from mmlm_core.model import Model
from mmlm_core.reading import CachedReader, Reader, UncachedReader, generative_head
from mmlm_core.settings import DecodingOptions
from mmlm_core.types import Batch

__all__ = ["Generated", "generate", "predict", "stream"]


@dataclass(frozen=True)
class Generated:
    """One row's generated tokens.

    Attributes:
        ids: The tokens, without the prompt and without the end token.
        score: Log-probability of the tokens (the end token too) / number of them ** the length penalty.
        ended: Whether the model ended it, or `max_tokens` did.
    """

    ids: list[int]
    score: float
    ended: bool


@torch.inference_mode()
def generate(model: Model, batch: Batch, options: DecodingOptions, *, cache: bool = True) -> list[Generated]:
    """Generate one sequence a row.

    Args:
        model: In evaluation mode, with a generative head.
        batch: Inputs and prompts; rows may differ in length.
        options: Greedy, sampling or beams.
        cache: Step with the backbone's state, or read everything anew at every step (for comparison: the same tokens).
    """
    reader = _reader(model, batch, options, cache)
    if options.beams > 1:
        return _beams(model, batch, options, reader)
    end = generative_head(model).end
    chosen, scores = [], []
    for tokens, log_probability in _tokens(model, batch, options, reader):
        chosen.append(tokens)
        scores.append(log_probability)
    ids, totals = torch.stack(chosen, 1).tolist(), torch.stack(scores, 1).sum(1).tolist()
    return [_finish(row, total, end, options.length_penalty) for row, total in zip(ids, totals, strict=True)]


@torch.inference_mode()
def stream(model: Model, batch: Batch, options: DecodingOptions) -> Iterator[int]:
    """Yield the tokens of the batch's only row as they are chosen; the end token is not yielded.

    Beams yield nothing until the whole is known, since a beam may still lose.
    """
    if options.beams > 1:
        yield from generate(model, batch, options)[0].ids
        return
    end = generative_head(model).end
    for tokens, _ in _tokens(model, batch, options, _reader(model, batch, options, cache=True)):
        token = int(tokens[0])
        if token != end:
            yield token


def predict(model: Model, batch: Batch, options: DecodingOptions) -> list[dict[str, Any]]:
    """Return one prediction a row from any model: generated where the head generates, else read out in one pass.

    A generated prediction has `prediction` (the item), `score`, `tokens` and `ended`.
    """
    if not isinstance(model.head, GenerativeHead):
        with torch.inference_mode():
            return model.predict(batch)
    head = model.head
    return [
        {
            "prediction": head.decode(generated.ids),
            "score": round(generated.score, 4),
            "tokens": len(generated.ids),
            "ended": generated.ended,
        }
        for generated in generate(model, batch, options)
    ]


def _reader(model: Model, batch: Batch, options: DecodingOptions, cache: bool) -> Reader:
    if cache and model.backbone.steps:
        return CachedReader(model, batch, options.max_tokens)
    return UncachedReader(model, batch)


def _finish(row: list[int], total: float, end: int, length_penalty: float) -> Generated:
    ended = end in row
    ids = row[: row.index(end)] if ended else row
    return Generated(ids, total / max(len(ids) + ended, 1) ** length_penalty, ended)


def _tokens(model: Model, batch: Batch, options: DecodingOptions, reader: Reader) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield each step's tokens and their log-probabilities, until every row has ended. Shape of each: [B]."""
    head = generative_head(model)
    ids, lengths = head.prompt(batch)
    logits = reader.begin(ids, lengths)
    generator = torch.Generator(logits.device).manual_seed(options.seed) if options.temperature > 0 else None
    seen = _seen(ids, lengths, logits.shape[-1]) if options.repetition_penalty != 1 else None
    ended = torch.zeros(batch.size, dtype=torch.bool, device=logits.device)
    for step in range(options.max_tokens):
        log_probabilities = _penalise(logits.float(), seen, options.repetition_penalty).log_softmax(-1)
        tokens = _choose(log_probabilities, options, generator)
        log_probability = log_probabilities.gather(1, tokens.unsqueeze(1)).squeeze(1)
        if step:  # rows that have ended go on as padding, which costs nothing
            tokens = tokens.masked_fill(ended, head.pad)
            log_probability = log_probability.masked_fill(ended, 0.0)
        ended = ended | (tokens == head.end)
        if seen is not None:
            seen.scatter_(1, tokens.unsqueeze(1), True)
        yield tokens, log_probability
        if step + 1 == options.max_tokens or bool(ended.all()):
            return
        logits = reader.step(tokens)


def _seen(ids: Tensor, lengths: Tensor, vocabulary: int) -> Tensor:
    """Return which tokens stand in each prompt. Shape: [B, V]."""
    seen = torch.zeros(ids.shape[0], vocabulary + 1, dtype=torch.bool, device=ids.device)
    steps = torch.arange(ids.shape[1], device=ids.device)
    seen.scatter_(1, ids.masked_fill(steps >= lengths.unsqueeze(1), vocabulary), True)
    return seen[:, :vocabulary].clone()


def _penalise(logits: Tensor, seen: Tensor | None, penalty: float) -> Tensor:
    if seen is None:
        return logits
    return torch.where(seen, torch.where(logits > 0, logits / penalty, logits * penalty), logits)


def _choose(log_probabilities: Tensor, options: DecodingOptions, generator: torch.Generator | None) -> Tensor:
    if generator is None:
        return log_probabilities.argmax(-1)
    scores = log_probabilities / options.temperature
    if options.top_k:
        least = scores.topk(min(options.top_k, scores.shape[-1]), dim=-1).values[:, -1:]
        scores = scores.masked_fill(scores < least, -torch.inf)
    if options.top_p < 1:
        ordered, order = scores.sort(dim=-1, descending=True)
        probabilities = ordered.softmax(-1)
        beyond = probabilities.cumsum(-1) - probabilities > options.top_p  # the likeliest one always stays
        scores = scores.scatter(1, order, ordered.masked_fill(beyond, -torch.inf))
    return torch.multinomial(scores.softmax(-1), 1, generator=generator).squeeze(1)


def _beams(model: Model, batch: Batch, options: DecodingOptions, reader: Reader) -> list[Generated]:
    """Return each row's best sequence by beam search, all rows and beams in one batch.

    As in transformers with `early_stopping=False`: ended sequences leave the beams and are compared by their score;
    a row is done when no running beam can beat the worst of its `beams` ended ones.
    """
    head = generative_head(model)
    ids, lengths = head.prompt(batch)
    logits = reader.begin(ids, lengths)
    size, beams, limit = batch.size, options.beams, options.max_tokens
    device = logits.device
    first = torch.arange(size, device=device).unsqueeze(1) * beams  # a row's first beam among all
    reader.select(torch.arange(size, device=device).repeat_interleave(beams))
    seen = None
    if options.repetition_penalty != 1:
        seen = _seen(ids, lengths, logits.shape[-1]).repeat_interleave(beams, 0)
    logits = logits.repeat_interleave(beams, 0)
    running = torch.full((size, beams), -torch.inf, device=device)
    running[:, 0] = 0.0  # all beams of a row begin alike: one of them counts
    texts = torch.full((size, beams, limit), head.pad, device=device)
    best = torch.full((size, beams), -torch.inf, device=device)
    best_texts = texts.clone()
    best_lengths = torch.zeros(size, beams, dtype=torch.long, device=device)
    for step in range(limit):
        log_probabilities = _penalise(logits.float(), seen, options.repetition_penalty).log_softmax(-1)
        vocabulary = log_probabilities.shape[-1]
        totals = (running.unsqueeze(-1) + log_probabilities.view(size, beams, vocabulary)).flatten(1)
        scores, flat = totals.topk(min(2 * beams, totals.shape[1]), dim=1)
        parents, tokens = flat // vocabulary, flat % vocabulary
        candidates = texts.gather(1, parents.unsqueeze(-1).expand(-1, -1, limit)).clone()
        candidates[:, :, step] = tokens
        ends = tokens == head.end
        takes = ends.clone()
        takes[:, beams:] = False  # an end that is not among the best `beams` candidates does not count
        if step == limit - 1:
            takes |= torch.arange(takes.shape[1], device=device) < beams
        norm = (step + 1) ** options.length_penalty
        pool = torch.cat([best, (scores / norm).masked_fill(~takes, -torch.inf)], 1)
        lengths_pool = torch.cat([best_lengths, (step + 1 - ends.long())], 1)
        best, order = pool.topk(beams, dim=1)
        best_lengths = lengths_pool.gather(1, order)
        best_texts = torch.cat([best_texts, candidates], 1).gather(1, order.unsqueeze(-1).expand(-1, -1, limit))
        if step == limit - 1:
            break
        running, keep = scores.masked_fill(ends, -torch.inf).topk(beams, dim=1)
        if bool(((running[:, 0] / norm) <= best[:, -1]).all()):
            break
        texts = candidates.gather(1, keep.unsqueeze(-1).expand(-1, -1, limit))
        rows = (first + parents.gather(1, keep)).flatten()
        reader.select(rows)
        chosen = tokens.gather(1, keep).flatten()
        if seen is not None:
            seen = seen[rows].scatter_(1, chosen.unsqueeze(1), True)
        logits = reader.step(chosen)
    winners, many = best_texts[:, 0].tolist(), best_lengths[:, 0].tolist()
    values = best[:, 0].tolist()
    return [
        Generated(text[:length], score, head.end in text)
        for text, length, score in zip(winners, many, values, strict=True)
    ]
