"""The head `captioning`: writes a text about the inputs, token after token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from mmlm_core.interfaces import GenerativeHead, TargetProcessor, Tokenizer
from mmlm_core.tokens import TokenTable
from mmlm_core.types import QUERIES, Batch, Features, Loss
from mmlm_heads.caption_metrics import caption_metrics
from mmlm_heads.options import CaptioningOptions
from mmlm_heads.token_output import TokenOutput
from mmlm_heads.token_targets import TokenTargets

__all__ = ["Captioning"]


class Captioning(GenerativeHead):
    """Learns to write captions. A row may have several: training draws one, the loss of an evaluation takes the first,
    and metrics compare with all of them.

    The better model is the one with the higher `token_f1`, which moves from the first epoch on (`exact_match` long
    stays at 0) and does not depend on which other rows are measured (CIDEr does).

    Args:
        options: See `CaptioningOptions`.
        width: D.
        modalities: Names of the inputs.
        facts: Not used.
        tokenizer: Of the captions.
        table: Its token table.
    """

    reads = (QUERIES,)
    monitor = ("token_f1", "max")

    def __init__(
        self,
        options: CaptioningOptions,
        *,
        width: int,
        modalities: tuple[str, ...],
        facts: Mapping[str, Any],
        tokenizer: Tokenizer,
        table: TokenTable,
    ) -> None:
        super().__init__()
        del modalities, facts
        self.tokens = TokenOutput(options, width=width, tokenizer=tokenizer, table=table)
        self.end, self.pad = tokenizer.end, tokenizer.pad
        self._bleu_tokenizer = options.bleu_tokenizer
        self._targets = TokenTargets(
            tokenizer,
            max_tokens=options.max_tokens,
            truncate=options.truncate,
            token_dropout=options.token_dropout,
        )

    def target_processor(self) -> TargetProcessor:
        """Return the processor that makes token ids of the captions."""
        return self._targets

    def queries(self, batch: Batch) -> Features:
        """Return the embedded tokens.

        Shape: values [B, T, D].
        """
        return self.tokens.queries(batch)

    def prompt(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """See `GenerativeHead.prompt`."""
        return self.tokens.prompt(batch)

    def embed(self, ids: Tensor) -> Tensor:
        """See `GenerativeHead.embed`."""
        return self.tokens.embed(ids)

    def logits(self, hidden: Tensor) -> Tensor:
        """See `GenerativeHead.logits`."""
        return self.tokens.logits(hidden)

    def decode(self, ids: Sequence[int]) -> str:
        """See `GenerativeHead.decode`."""
        return self.tokens.decode(list(ids))

    def loss(self, outputs: Mapping[str, Features], batch: Batch) -> Loss:
        """Return the cross-entropy of the tokens; see `TokenOutput.loss`."""
        return self.tokens.loss(outputs, batch)

    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        """Score the given captions; `prediction` is None, since captions come from `mmlm_core.generation`.

        With targets: `log_likelihood` (natural logarithm), over `scored_tokens` (the end too).
        """
        if "labels" not in batch.targets:
            return [{"prediction": None} for _ in range(batch.size)]
        scores = self.tokens.score(outputs, batch)
        return [{"prediction": None, "log_likelihood": total, "scored_tokens": tokens} for total, tokens in scores]

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return the metrics of `mmlm_heads.caption_metrics`, over generated captions."""
        captions = [str(prediction["prediction"]) for prediction in predictions]
        return caption_metrics(captions, references, self._bleu_tokenizer)
