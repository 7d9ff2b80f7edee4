"""The head `dialogue`: the next thing that an assistant says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from mmlm_core.errors import DataError
from mmlm_core.interfaces import TargetProcessor
from mmlm_core.types import Example
from mmlm_writing.chat_targets import ChatTargets
from mmlm_writing.conversations import answer_of, conversation
from mmlm_writing.metrics.agreement import exact_match, token_f1
from mmlm_writing.metrics.likelihood import perplexity
from mmlm_writing.metrics.rouge import rouge
from mmlm_writing.metrics.sacre import bleu
from mmlm_writing.options import DialogueOptions
from mmlm_writing.text_head import TextHead

__all__ = ["Dialogue"]


class Dialogue(TextHead[DialogueOptions]):
    """Learns to answer as the assistant of conversations does; what others say is read and not scored.

    A row is a list of messages (see `conversations`), which need no input beside them; a picture may be one. All
    answers of a conversation are learnt at once. What is generated is the last one.
    """

    monitor = ("loss", "min")
    replies = True

    @classmethod
    def texts(cls, options: DialogueOptions, example: Example) -> Iterator[str]:
        """Yield what is said; a row that is no conversation is passed over here, and refused when it is read."""
        del options
        with suppress(DataError):
            yield from (message.content for message in conversation(example))

    def target_processor(self) -> TargetProcessor:
        """Return the processor that makes token ids of the conversations."""
        return ChatTargets(
            self.tokenizer,
            max_tokens=self.options.max_tokens,
            truncate=self.options.truncate,
            token_dropout=self.options.token_dropout,
        )

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return `perplexity`, of a token of all answers, where these were scored, and what `measure` says."""
        return {**perplexity(predictions), **super().metrics(predictions, references)}

    def measure(self, texts: Sequence[str], references: Sequence[Any]) -> dict[str, float]:
        """Return `token_f1`, `bleu`, `rouge_l` and `exact_match` of the last answers."""
        wanted = [[answer_of(reference)] for reference in references]
        return {
            "token_f1": token_f1(texts, wanted),
            "bleu": bleu(texts, wanted, self.options.bleu_tokenizer),
            **rouge(texts, wanted, ["rouge_l"]),
            "exact_match": exact_match(texts, wanted),
        }
