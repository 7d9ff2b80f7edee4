"""The head `tagging`: one tag for each word of a text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Head, TargetProcessor, Tokenizer
from mmlm_core.targets import IGNORED
from mmlm_core.types import Batch, Features, Loss
from mmlm_heads.tag_targets import CUT, TagTargets, tags_of
from mmlm_heads.tagging_options import TaggingOptions

__all__ = ["Tagging"]

IOB2 = re.compile(r"O|[BI]-.+")


class Tagging(Head):
    """A linear layer over the first word piece of each word, with cross-entropy.

    Args:
        options: See `TaggingOptions`.
        width: D.
        modalities: Names of the inputs.
        facts: What `facts` returned.
        tokenizer: The text encoder's.
        table: Its token table, which this head does not read.
    """

    monitor = ("loss", "min")
    reads = ("text",)

    def __init__(
        self,
        options: TaggingOptions,
        *,
        width: int,
        modalities: tuple[str, ...],
        facts: Mapping[str, Any],
        tokenizer: Tokenizer,
        table: Any,
    ) -> None:
        super().__init__()
        del modalities, table
        self._tokenizer = tokenizer
        self._truncate = options.truncate
        self._tags: list[str] = list(facts["tags"])
        counts = facts["counts"]
        self._usual = self._tags[counts.index(max(counts))]
        self.dropout = nn.Dropout(options.dropout)
        self.output = nn.Linear(width, len(self._tags))

    @classmethod
    def facts(cls, options: Any, targets: Iterable[Any]) -> dict[str, Any]:
        """Return `tags`, in order, and `counts`, the training words of each.

        A target that is no list of tags is passed over here; its row is refused, by its key, when it is read.

        Raises:
            DataError: There are fewer than two tags.
        """
        counts: Counter[str] = Counter()
        for target in targets:
            try:
                counts.update(tags_of(target))
            except DataError:
                continue
        if len(counts) < 2:
            raise DataError(f"The training targets must have at least two different tags, not {len(counts)}.")
        return {"tags": sorted(counts), "counts": [counts[tag] for tag in sorted(counts)]}

    def target_processor(self) -> TargetProcessor:
        """Return the processor that aligns the tags."""
        return TagTargets(self._tokenizer, self._tags, self._truncate)

    def queries(self, batch: Batch) -> Features | None:
        """Return None: the text's own positions are read."""
        return None

    def loss(self, outputs: Mapping[str, Features], batch: Batch) -> Loss:
        """Return the cross-entropy, counted by words, with `correct` among the figures."""
        logits, tags = self._logits(outputs, batch), batch.targets["tags"]
        tags = tags.masked_fill(batch.targets["starts"] == CUT, IGNORED)
        total = functional.cross_entropy(logits.flatten(0, 1), tags.flatten(), ignore_index=IGNORED, reduction="sum")
        return Loss(total, (tags != IGNORED).sum(), {"correct": (logits.detach().argmax(-1) == tags).sum()})

    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        """Return the tags of each row's words; a word that was cut has the most frequent tag."""
        numbers = self._logits(outputs, batch).argmax(-1).masked_fill(batch.targets["starts"] == CUT, CUT)
        rows = zip(numbers.tolist(), batch.targets["lengths"].tolist(), strict=True)
        return [
            {"prediction": [self._usual if number == CUT else self._tags[number] for number in row[:length]]}
            for row, length in rows
        ]

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return entity `f1`, `precision`, `recall` where the tags are IOB2, and `accuracy` and `macro_f1` of words."""
        given = [list(prediction["prediction"]) for prediction in predictions]
        wanted = [tags_of(reference) for reference in references]
        pairs = [pair for rows in zip(given, wanted, strict=True) for pair in zip(*rows, strict=True)]
        if not pairs:
            return {}
        right = Counter(tag for tag, expected in pairs if tag == expected)
        said = Counter(tag for pair in pairs for tag in pair)
        words = {
            "accuracy": right.total() / len(pairs),
            "macro_f1": sum(2 * right[tag] / said[tag] for tag in said) / len(said),
        }
        if not all(IOB2.fullmatch(tag) for tag in self._tags):
            return words
        from seqeval.metrics import f1_score, precision_score, recall_score

        scores = {"f1": f1_score, "precision": precision_score, "recall": recall_score}
        entities = {name: float(score(wanted, given, zero_division=0)) for name, score in scores.items()}
        return {**entities, "accuracy": words["accuracy"]}

    def _logits(self, outputs: Mapping[str, Features], batch: Batch) -> Tensor:
        """Return the tags' scores at each word; those of a word without a position mean nothing. Shape: [B, W, K]."""
        text, starts = outputs["text"], batch.targets["starts"].clamp(min=0)
        values = text.values.masked_fill(~text.valid.unsqueeze(-1), 0)
        if not values.shape[1]:
            values = functional.pad(values, (0, 0, 0, 1))
        first = values.gather(1, starts.unsqueeze(-1).expand(-1, -1, values.shape[-1]))
        return self.output(self.dropout(first)).float()  # type: ignore[no-any-return]
