"""What the heads have in common that write a text about something: all but its metrics, which are the task's own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from torch import Tensor

from mmlm_core.interfaces import TargetProcessor, Tokenizer
from mmlm_core.tokens import TokenTable
from mmlm_core.types import Batch, Features, Memory
from mmlm_writing.copying import Copying
from mmlm_writing.options import TextOptions, TextToTextOptions
from mmlm_writing.token_targets import TokenTargets
from mmlm_writing.writing_head import WritingHead

__all__ = ["TextHead"]

Options = TypeVar("Options", bound=TextOptions)


class TextHead(WritingHead, Generic[Options]):
    """Learns to write the target, token after token. A task says how what is written is measured.

    A row may have several targets: training draws one, the loss of an evaluation takes the first, and metrics compare
    with all of them.

    Args:
        options: The task's.
        width: D.
        modalities: Names of the inputs.
        facts: Not used.
        tokenizer: Of the texts.
        table: Its token table.

    Attributes:
        several: Whether a row may have a list of targets.
    """

    several = True

    def __init__(
        self,
        options: Options,
        *,
        width: int,
        modalities: tuple[str, ...],
        facts: Mapping[str, Any],
        tokenizer: Tokenizer,
        table: TokenTable,
    ) -> None:
        super().__init__(options, width=width, tokenizer=tokenizer, table=table)
        del modalities, facts
        self.options = options
        self.copying = (
            Copying(width, tokenizer.unknown) if isinstance(options, TextToTextOptions) and options.copy else None
        )

    @abstractmethod
    def measure(self, texts: Sequence[str], references: Sequence[Any]) -> dict[str, float]:
        """Return the task's metrics of what was written, one text a row; at least one row.

        Args:
            texts: What was written.
            references: The targets of the same rows.
        """

    def remember(self, outputs: Mapping[str, Features]) -> Memory:
        """See `GenerativeHead.remember`."""
        return {} if self.copying is None else self.copying.remember(outputs["text"])

    def scores(self, hidden: Tensor, memory: Memory) -> Tensor:
        """See `GenerativeHead.scores`."""
        return self.logits(hidden) if self.copying is None else self.copying(self.logits(hidden), hidden, memory)

    def target_processor(self) -> TargetProcessor:
        """Return the processor that makes token ids of the texts."""
        return TokenTargets(
            self.tokenizer,
            max_tokens=self.options.max_tokens,
            truncate=self.options.truncate,
            token_dropout=self.options.token_dropout,
            several=self.several,
        )

    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        """Score the given texts; `prediction` is None, since texts come from `mmlm_core.generation`.

        With targets: `log_likelihood` (natural logarithm), over `scored_tokens` (the end too).
        """
        if "labels" not in batch.targets:
            return [{"prediction": None} for _ in range(batch.size)]
        scores = self.score(outputs, batch)
        return [{"prediction": None, "log_likelihood": total, "scored_tokens": tokens} for total, tokens in scores]

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return what `measure` says of the generated texts; nothing where there are no rows."""
        texts = [str(prediction["prediction"]) for prediction in predictions]
        return self.measure(texts, references) if texts else {}
