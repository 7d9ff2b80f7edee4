"""The head `span`: the part of a text that answers a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmlm_core.interfaces import Head, TargetProcessor, Tokenizer
from mmlm_core.types import QUERIES, Batch, Features, Loss
from mmlm_heads.answers import answer_metrics, answers_of
from mmlm_heads.span_options import SpanOptions
from mmlm_heads.span_targets import NOWHERE, SpanTargets

__all__ = ["Span"]


class Span(Head):
    """Scores each token of the context as the first and as the last of the answer (Devlin et al. 2019, section 4.2).

    A learned position, as BERT's `[CLS]`, is both where there is no answer.

    Args:
        options: See `SpanOptions`.
        width: D.
        modalities: Names of the inputs.
        facts: Not used.
        tokenizer: The text encoder's.
        table: Its token table, which this head does not read.
    """

    reads = (QUERIES, "text")
    monitor = ("f1", "max")

    def __init__(
        self,
        options: SpanOptions,
        *,
        width: int,
        modalities: tuple[str, ...],
        facts: Mapping[str, Any],
        tokenizer: Tokenizer,
        table: Any,
    ) -> None:
        super().__init__()
        del modalities, facts, table
        self._most = options.max_answer_tokens
        self._bias = options.no_answer_bias
        self._targets = SpanTargets(tokenizer, options.truncate)
        self.query = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.dropout = nn.Dropout(options.dropout)
        self.output = nn.Linear(width, 2)

    def target_processor(self) -> TargetProcessor:
        """Return the processor that aligns the answers."""
        return self._targets

    def queries(self, batch: Batch) -> Features:
        """Return the position that stands for having no answer.

        Shape: values [B, 1, D].
        """
        return Features(self.query.expand(batch.size, -1, -1))

    def loss(self, outputs: Mapping[str, Features], batch: Batch) -> Loss:
        """Return the mean cross-entropy of first and last token, counted by rows, with `correct` among the figures."""
        scores = self._scores(outputs, batch)
        first, last = batch.targets["first"], batch.targets["last"]
        losses = functional.cross_entropy(scores[..., 0], first, reduction="none")
        losses = (losses + functional.cross_entropy(scores[..., 1], last, reduction="none")) / 2
        told = scores.detach().argmax(1)
        correct = ((told[:, 0] == first) & (told[:, 1] == last)).sum()
        return Loss(losses.sum(), torch.full_like(correct, batch.size), {"correct": correct})

    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        """Return the likeliest answer of each row as `prediction`, empty where there is none.

        Also the characters of the context where it stands (`start`, `end`; none: null), and `margin`: by how much its
        score exceeds that of having none.
        """
        scores = self._scores(outputs, batch)
        best, firsts, lasts = _best_spans(scores, self._most)
        margins = (best - scores[:, 0].sum(-1) - self._bias).tolist()
        offsets = batch.targets["offsets"].tolist()
        rows = []
        for row, (margin, first, last) in enumerate(zip(margins, firsts.tolist(), lasts.tolist(), strict=True)):
            if margin <= 0:
                rows.append({"prediction": "", "start": None, "end": None, "margin": max(margin, -1e9)})
                continue
            context = str(batch.examples[row].inputs["text"][-1])
            start, end = offsets[row][first - 1][0], offsets[row][last - 1][1]
            found = context[start:end]
            start += len(found) - len(found.lstrip())
            text = found.strip()
            rows.append({"prediction": text, "start": start, "end": start + len(text), "margin": margin})
        return rows

    def shown(self, target: Any) -> Any:
        """Return the acceptable answers of a target as texts; one as a text, none as an empty one."""
        texts = [answer.text for answer in answers_of(target)]
        return texts if len(texts) > 1 else "".join(texts)

    def constant(self) -> Any:
        """Return that there is no answer."""
        return ""

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return `f1` and `exact_match` as SQuAD's script does; see `answer_metrics`."""
        if not predictions:
            return {}
        wanted = [[answer.text for answer in answers_of(reference)] for reference in references]
        return answer_metrics([str(prediction["prediction"]) for prediction in predictions], wanted)

    def _scores(self, outputs: Mapping[str, Features], batch: Batch) -> Tensor:
        """Return the scores of being first and last, of no answer and of the context's tokens. Shape: [B, 1 + C, 2]."""
        text, positions = outputs["text"], batch.targets["positions"]
        values = text.values.masked_fill(~text.valid.unsqueeze(-1), 0)
        if not values.shape[1]:
            values = functional.pad(values, (0, 0, 0, 1))
        places = positions.clamp(min=0, max=values.shape[1] - 1).unsqueeze(-1)
        context = values.gather(1, places.expand(-1, -1, values.shape[-1]))
        hidden = torch.cat([outputs[QUERIES].values[:, :1], context], dim=1)
        scores = self.output(self.dropout(hidden)).float()
        there = functional.pad(positions != NOWHERE, (1, 0), value=True)
        return scores.masked_fill(~there.unsqueeze(-1), -torch.inf)  # type: ignore[no-any-return]


def _best_spans(scores: Tensor, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the best score of an answer of at most so many tokens, and its first and last token, counted from 1.

    Where a row has no token the score is -inf.

    Shape: [B, 1 + C, 2] -> [B] each.
    """
    first, last = scores[:, 1:, 0], scores[:, 1:, 1]
    rows, length = first.shape
    if not length:
        nothing = scores.new_zeros(rows, dtype=torch.long)
        return scores.new_full((rows,), -torch.inf), nothing, nothing
    both = first.unsqueeze(2) + last.unsqueeze(1)
    allowed = torch.ones(length, length, dtype=torch.bool, device=scores.device).triu().tril(most - 1)
    best, place = both.masked_fill(~allowed, -torch.inf).flatten(1).max(1)
    return best, place // length + 1, place % length + 1
