"""The head `language_modeling`: writes a text token after token, as GPT does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mmlm_core.interfaces import TargetProcessor, Tokenizer
from mmlm_core.tokens import TokenTable
from mmlm_core.types import Batch, Features
from mmlm_writing.metrics.likelihood import perplexity, surprise
from mmlm_writing.options import LanguageModelingOptions
from mmlm_writing.token_targets import TokenTargets
from mmlm_writing.writing_head import WritingHead

__all__ = ["LanguageModeling"]


class LanguageModeling(WritingHead):
    """Learns the target text itself; a prompt before it is read and not scored.

    A text that is longer than `context` is read by windows. In training one window is drawn at random, a new one each
    time. In evaluation the text is scored whole, **every token of it exactly once, and its end**: by windows side by
    side where the model has no inputs, in one piece where it has (an input belongs to the whole text).

    With `pack`, training puts several short texts into one row of `context` positions; each is read as if it stood
    alone (Raffel et al. 2020 pack likewise, but let the texts see each other).

    Args:
        options: See `LanguageModelingOptions`.
        width: D.
        modalities: Names of the inputs; there need not be any.
        facts: Not used.
        tokenizer: Of the texts.
        table: Its token table.
    """

    monitor = ("loss", "min")

    def __init__(
        self,
        options: LanguageModelingOptions,
        *,
        width: int,
        modalities: tuple[str, ...],
        facts: Mapping[str, Any],
        tokenizer: Tokenizer,
        table: TokenTable,
    ) -> None:
        super().__init__(options, width=width, tokenizer=tokenizer, table=table)
        del facts
        self._targets = TokenTargets(
            tokenizer,
            token_dropout=options.token_dropout,
            context=options.context,
            overlap=options.overlap,
            windows=not modalities,
            pack=options.pack,
        )

    def target_processor(self) -> TargetProcessor:
        """Return the processor that makes token ids of the texts."""
        return self._targets

    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        """Score the given texts; `prediction` is None.

        With targets: `log_likelihood` (natural logarithm), over `scored_tokens` (the end too), and the
        `scored_characters` of the text.
        """
        if "labels" not in batch.targets:
            return [{"prediction": None} for _ in range(batch.size)]
        characters = batch.targets["characters"].tolist()
        return [
            {"prediction": None, "log_likelihood": total, "scored_tokens": tokens, "scored_characters": length}
            for (total, tokens), length in zip(self.score(outputs, batch), characters, strict=True)
        ]

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return `perplexity` (of a token) and `bits_per_character`, over predictions that are scores (see `predict`).

        Both are of the whole split: the sum of the log-likelihoods over the sum of tokens, or of characters. The
        latter does not depend on the tokenizer. Generated texts alone have no metrics.
        """
        del references
        scored = [prediction for prediction in predictions if "log_likelihood" in prediction]
        if not scored:
            return {}
        characters = sum(prediction["scored_characters"] for prediction in scored)
        return {**perplexity(scored), "bits_per_character": surprise(scored) / math.log(2) / characters}
