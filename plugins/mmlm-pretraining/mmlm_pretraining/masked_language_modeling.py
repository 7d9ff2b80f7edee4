"""The head `masked_language_modeling`: tells hidden tokens of a text from both sides."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmlm_core.interfaces import Head, TargetProcessor, Tokenizer
from mmlm_core.targets import IGNORED
from mmlm_core.tokens import TokenTable
from mmlm_core.types import Batch, Features, Loss
from mmlm_pretraining.masking import MaskingTargets
from mmlm_pretraining.options import MaskedLanguageModelingOptions

__all__ = ["MaskedLanguageModeling"]


class MaskedLanguageModeling(Head):
    """BERT's output (Devlin et al. 2019): a layer, GELU and normalisation, then the token table, at hidden positions.

    Args:
        options: See `MaskedLanguageModelingOptions`.
        width: D.
        modalities: Names of the inputs; texts are corrupted, others are read as they are.
        facts: Not used.
        tokenizer: The text encoder's.
        table: Its token table.
    """

    reads = ("text",)

    def __init__(
        self,
        options: MaskedLanguageModelingOptions,
        *,
        width: int,
        modalities: tuple[str, ...],
        facts: Mapping[str, Any],
        tokenizer: Tokenizer,
        table: TokenTable,
    ) -> None:
        super().__init__()
        del modalities, facts
        self._tokenizer = tokenizer
        self._targets = MaskingTargets(tokenizer, options.rate, options.whole_words)
        self.table = table
        self.transform = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.output = None if options.tie else nn.Linear(width, table.vocabulary, bias=False)
        if self.output is not None:
            nn.init.normal_(self.output.weight, std=0.02)
        self.bias = nn.Parameter(torch.zeros(table.vocabulary))

    def target_processor(self) -> TargetProcessor:
        """Return the processor that hides tokens."""
        return self._targets

    def queries(self, batch: Batch) -> Features | None:
        """Return None: the text's own positions are read."""
        return None

    def loss(self, outputs: Mapping[str, Features], batch: Batch) -> Loss:
        """Return the cross-entropy of the chosen tokens, counted by them, with `correct` among the figures."""
        labels = batch.targets["labels"]
        chosen = labels != IGNORED
        logits = self._logits(outputs, batch)[chosen]
        total = functional.cross_entropy(logits, labels[chosen], reduction="sum")
        return Loss(total, chosen.sum(), {"correct": (logits.detach().argmax(-1) == labels[chosen]).sum()})

    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        """Return the tokens that each row's hidden ones are taken for, as texts, and which these were (`reference`).

        Also their `log_likelihood` (natural logarithm), over so many `scored_tokens`, of which `correct` are right.
        """
        logits, labels = self._logits(outputs, batch), batch.targets["labels"]
        told = logits.argmax(-1)
        surprise = functional.cross_entropy(logits.transpose(1, 2), labels, ignore_index=IGNORED, reduction="none")
        rows = []
        for given, wanted, total in zip(told.tolist(), labels.tolist(), (-surprise).sum(-1).tolist(), strict=True):
            pairs = [pair for pair in zip(given, wanted, strict=True) if pair[1] != IGNORED]
            rows.append({
                "prediction": [self._named(token) for token, _ in pairs],
                "reference": [self._named(token) for _, token in pairs],
                "log_likelihood": total,
                "scored_tokens": len(pairs),
                "correct": sum(one == other for one, other in pairs),
            })  # fmt: skip
        return rows

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return `masked_accuracy` and `pseudo_perplexity` over the hidden tokens of the whole split."""
        del references
        scored = [prediction for prediction in predictions if prediction.get("scored_tokens")]
        if not scored:
            return {}
        tokens = sum(prediction["scored_tokens"] for prediction in scored)
        surprise = -math.fsum(prediction["log_likelihood"] for prediction in scored) / tokens
        return {
            "masked_accuracy": sum(prediction["correct"] for prediction in scored) / tokens,
            "pseudo_perplexity": math.exp(min(surprise, 700.0)),  # a double ends at exp(709)
        }

    def _logits(self, outputs: Mapping[str, Features], batch: Batch) -> Tensor:
        """Return the scores of all tokens at the chosen positions. Shape: [B, M, V]."""
        text, positions = outputs["text"], batch.targets["positions"]
        values = text.values.masked_fill(~text.valid.unsqueeze(-1), 0)
        chosen = values.gather(1, positions.unsqueeze(-1).expand(-1, -1, values.shape[-1]))
        hidden = self.transform(chosen)
        logits = self.table.logits(hidden) if self.output is None else self.output(hidden)
        return (logits + self.bias).float()

    def _named(self, token: int) -> str:
        return str(self._tokenizer.decode([token]))
