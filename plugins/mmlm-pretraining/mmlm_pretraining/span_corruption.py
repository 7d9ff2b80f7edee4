"""The head `span_corruption`: writes the spans of a text that sentinels stand for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmlm_core.interfaces import GenerativeHead, TargetProcessor, Tokenizer
from mmlm_core.targets import IGNORED
from mmlm_core.tokens import TokenTable
from mmlm_core.types import QUERIES, Batch, Features, Loss
from mmlm_pretraining.options import SpanCorruptionOptions
from mmlm_pretraining.sentinels import sentinels, spans_of
from mmlm_pretraining.spans import SpanTargets

__all__ = ["SpanCorruption"]


class SpanCorruption(GenerativeHead):
    """T5's objective (Raffel et al. 2020): `<extra_id_0>` and the span that it stands for, then the next, and the end.

    Args:
        options: See `SpanCorruptionOptions`.
        width: D.
        modalities: Names of the inputs; the text is corrupted, others are read as they are.
        facts: Not used.
        tokenizer: The text encoder's, with the sentinels.
        table: Its token table.
    """

    reads = (QUERIES,)

    def __init__(
        self,
        options: SpanCorruptionOptions,
        *,
        width: int,
        modalities: tuple[str, ...],
        facts: Mapping[str, Any],
        tokenizer: Tokenizer,
        table: TokenTable,
    ) -> None:
        super().__init__()
        del modalities, facts
        self.table = table
        self.output = None if options.tie else nn.Linear(width, table.vocabulary, bias=False)
        if self.output is not None:
            nn.init.normal_(self.output.weight, std=0.02)
        self.end, self.pad, self._begin = tokenizer.end, tokenizer.pad, tokenizer.begin
        self._tokenizer = tokenizer
        self._sentinels = {tokenizer.special(name): name for name in sentinels(options.sentinels)}
        self._targets = SpanTargets(tokenizer, list(self._sentinels), options.rate, options.mean_span)

    def target_processor(self) -> TargetProcessor:
        """Return the processor that hides spans."""
        return self._targets

    def queries(self, batch: Batch) -> Features:
        """Return the embedded tokens.

        Shape: values [B, T, D].
        """
        return Features(self.embed(batch.targets["ids"]), batch.targets.get("mask"))

    def prompt(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """See `GenerativeHead.prompt`: a text begins with nothing but `begin`."""
        first = batch.targets["ids"][:, :1]
        return first, torch.ones_like(first[:, 0])

    def embed(self, ids: Tensor) -> Tensor:
        """See `GenerativeHead.embed`."""
        return self.table(ids)  # type: ignore[no-any-return]

    def logits(self, hidden: Tensor) -> Tensor:
        """See `GenerativeHead.logits`."""
        return self.table.logits(hidden) if self.output is None else self.output(hidden)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text with the sentinels by their names: `<extra_id_0> brown fox <extra_id_1> dog`."""
        parts: list[str] = []
        piece: list[int] = []
        for token in ids:
            if token in self._sentinels:
                parts += [str(self._tokenizer.decode(piece)).strip(), self._sentinels[token]]
                piece = []
            else:
                piece.append(token)
        return " ".join(filter(None, [*parts, str(self._tokenizer.decode(piece)).strip()]))

    def loss(self, outputs: Mapping[str, Features], batch: Batch) -> Loss:
        """Return the cross-entropy of the tokens that are to be written, sentinels and the end too, counted by them."""
        labels = batch.targets["labels"]
        scored = labels != IGNORED
        logits = self.logits(outputs[QUERIES].values[scored]).float()
        total = functional.cross_entropy(logits, labels[scored], reduction="sum")
        return Loss(total, scored.sum())

    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        """Score what is to be written; `prediction` is None, since spans come from `mmlm_core.generation`.

        Returns:
            `reference`, the sentinels and their spans; its `log_likelihood` (natural logarithm), over `scored_tokens`.
        """
        labels = batch.targets["labels"]
        logits = self.logits(outputs[QUERIES].values).float().transpose(1, 2)
        surprise = functional.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="none")
        rows = zip(labels.tolist(), (-surprise).sum(-1).tolist(), batch.targets["lengths"].tolist(), strict=True)
        return [
            {"prediction": None, "reference": self.decode(row[: length - 1]), "log_likelihood": total,
             "scored_tokens": length} for row, total, length in rows
        ]  # fmt: skip

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return `span_accuracy`, the share of hidden spans that are written exactly, and `perplexity` of a token."""
        del references
        scored = [prediction for prediction in predictions if "log_likelihood" in prediction]
        if not scored:
            return {}
        tokens = sum(prediction["scored_tokens"] for prediction in scored)
        surprise = -math.fsum(prediction["log_likelihood"] for prediction in scored) / tokens
        measured = {"perplexity": math.exp(min(surprise, 700.0))}  # a double ends at exp(709)
        written = [row for row in scored if isinstance(row["prediction"], str)]
        if not written:
            return measured
        right = total = 0
        for row in written:
            said, hidden = spans_of(row["prediction"]), spans_of(row["reference"])
            total += len(hidden)
            right += sum(said.get(name) == span for name, span in hidden.items())
        return {"span_accuracy": right / total, **measured}
