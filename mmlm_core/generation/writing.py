"""What is asked of a generation: the texts of a batch, and predictions of any model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from mmlm_core.generation.beams import search
from mmlm_core.generation.generated import Generated
from mmlm_core.generation.steps import Drafts, steps
from mmlm_core.generation.stopping import Stopping
from mmlm_core.interfaces import GenerativeHead
from mmlm_core.model import Model
from mmlm_core.reading import generative_head, make_reader
from mmlm_core.settings import DecodingOptions
from mmlm_core.types import Batch

__all__ = ["generate", "predict"]


@torch.inference_mode()
def generate(model: Model, batch: Batch, options: DecodingOptions, *, cache: bool = True) -> list[Generated]:
    """Generate the best text of each row, and with it as many others as `n_best` asks for.

    Args:
        model: In evaluation mode, with a generative head.
        batch: Inputs and prompts; rows may differ in length.
        options: Greedy, sampling or beams.
        cache: Step with the backbone's state, or read everything anew at every step (for comparison: the same tokens).
    """
    head = generative_head(model)
    reader = make_reader(model, batch, options.max_tokens, cache=cache)
    if options.beams > 1:
        rows = search(head, batch, options, reader)
    else:
        *_, drafts = steps(head, batch, options, reader)
        rows = _rows(drafts, head.end, options)
    return [replace(best, others=tuple(others[: options.n_best - 1])) for best, *others in rows]


def predict(model: Model, batch: Batch, options: DecodingOptions) -> list[dict[str, Any]]:
    """Return one prediction a row from any model: generated where the head generates, else read out in one pass.

    A generated prediction has `prediction` (the item), `score`, `tokens` and `ended`; where `n_best` is above 1 also
    `n_best`, a list of the same for each of the row's texts, best first.
    """
    if not isinstance(model.head, GenerativeHead):
        with torch.inference_mode():
            return model.predict(batch)
    head, stopping = model.head, Stopping(model.head, options.stop)
    predictions = []
    for best in generate(model, batch, options):
        told = [_told(head, stopping, text) for text in (best, *best.others)]
        predictions.append({**told[0], "n_best": told} if options.n_best > 1 else told[0])
    return predictions


def _told(head: GenerativeHead, stopping: Stopping, text: Generated) -> dict[str, Any]:
    return {
        "prediction": stopping.cut(head.decode(text.ids)),
        "score": round(text.score, 4),
        "tokens": len(text.ids),
        "ended": text.ended,
    }


def _rows(drafts: Drafts, end: int, options: DecodingOptions) -> list[list[Generated]]:
    """Return each row's texts, best first; what was drawn twice counts twice."""
    columns = (drafts.ids, drafts.counts, drafts.totals, drafts.over)
    texts = []
    for ids, count, total, over in zip(*(column.tolist() for column in columns), strict=True):
        said = ids[:count]
        texts.append(Generated(said[:-1] if said[-1] == end else said, total / count**options.length_penalty, over))
    rows = (texts[first : first + options.n_best] for first in range(0, len(texts), options.n_best))
    return [sorted(row, key=lambda text: -text.score) for row in rows]
