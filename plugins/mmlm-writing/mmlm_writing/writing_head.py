"""What every head of this package has in common: it writes token after token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmlm_core.cross_entropy import linear_cross_entropy
from mmlm_core.interfaces import GenerativeHead, Tokenizer
from mmlm_core.targets import IGNORED
from mmlm_core.tokens import TokenTable
from mmlm_core.types import QUERIES, Batch, Features, Loss, Memory
from mmlm_writing.metrics.ranges import RANGES
from mmlm_writing.options import TokenOutputOptions

__all__ = ["WritingHead"]

CHUNK = 1024
"""Positions whose logits are held at once in evaluation."""


class WritingHead(GenerativeHead):
    """Embeds the tokens before, scores the token that follows, and gives the cross-entropy.

    It reads batches that `TokenTargets` made. Where these hold windows, each window is a row of the sequence, whatever
    row of the batch it belongs to; and so is each row of packed texts. This is so only where a model has no inputs.

    Args:
        options: See `TokenOutputOptions`.
        width: D.
        tokenizer: Of the texts.
        table: Its token table.
    """

    reads = (QUERIES,)
    metric_ranges = RANGES

    def __init__(self, options: TokenOutputOptions, *, width: int, tokenizer: Tokenizer, table: TokenTable) -> None:
        super().__init__()
        self.table = table
        self.output = None if options.tie else nn.Linear(width, table.vocabulary, bias=False)
        if self.output is not None:
            nn.init.normal_(self.output.weight, std=0.02)
        self.dropout = nn.Dropout(options.dropout)
        self.tokenizer = tokenizer
        self.end, self.pad = tokenizer.end, tokenizer.pad
        self._label_smoothing = options.label_smoothing

    def embed(self, ids: Tensor) -> Tensor:
        """See `GenerativeHead.embed`."""
        return self.table(ids)  # type: ignore[no-any-return]

    def logits(self, hidden: Tensor) -> Tensor:
        """See `GenerativeHead.logits`."""
        return self.table.logits(hidden) if self.output is None else self.output(hidden)

    def queries(self, batch: Batch) -> Features:
        """Return the embedded tokens before each.

        Shape: values [B, T, D]; or, of N windows, [N, T, D].
        """
        ids, mask, rows = batch.targets["ids"], batch.targets.get("mask"), _window_rows(batch)
        if rows is not None and mask is not None:
            ids, mask = ids[rows], mask[rows]
        return Features(self.dropout(self.embed(ids)), mask, documents=batch.targets.get("documents"))

    def prompt(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """See `GenerativeHead.prompt`."""
        return batch.targets["prompt"], batch.targets["prompt_lengths"]

    def loss(self, outputs: Mapping[str, Features], batch: Batch) -> Loss:
        """Return the cross-entropy, counted by the tokens that are scored.

        Label smoothing is for training alone. `correct`, among the figures, is counted in evaluation alone: it costs a
        pass over all logits.
        """
        hidden, labels = outputs[QUERIES].values, _labels(batch)
        memory = self.remember(outputs)
        if not self.training:
            correct, losses, scored = self._evaluate(hidden, labels, memory)
            return Loss(losses.sum(), scored.sum(), {"correct": correct})
        scored = labels != IGNORED
        if memory:
            return Loss(self._sum(self.scores(hidden, memory), labels), scored.sum())
        if hidden.device.type == "cpu" and not scored.all():  # elsewhere selecting would wait for the device
            hidden, labels = hidden[scored], labels[scored]
        return Loss(self._cross_entropy(hidden.flatten(0, -2), labels.flatten()), scored.sum())

    def score(self, outputs: Mapping[str, Features], batch: Batch) -> list[tuple[float, int]]:
        """Return each row's log-likelihood (natural logarithm), and how many tokens it is the sum over."""
        _, losses, scored = self._evaluate(outputs[QUERIES].values, _labels(batch), self.remember(outputs))
        windows = _window_rows(batch)
        rows = scored.nonzero()[:, 0]
        rows = rows if windows is None else windows.nonzero()[:, 0][rows]
        totals = torch.zeros(batch.size, dtype=torch.float64).index_add_(0, rows.cpu(), -losses.double().cpu())
        return list(zip(totals.tolist(), torch.bincount(rows.cpu(), minlength=batch.size).tolist(), strict=True))

    def decode(self, ids: Sequence[int]) -> str:
        """See `GenerativeHead.decode`."""
        return str(self.tokenizer.decode(list(ids)))

    def _cross_entropy(self, hidden: Tensor, labels: Tensor) -> Tensor:
        """Return the sum of the losses. Shape: hidden [N, D], labels [N] -> []."""
        smoothing = self._label_smoothing
        if self.output is not None:
            return linear_cross_entropy(hidden, self.output.weight, labels, smoothing)
        if type(self.table).logits is TokenTable.logits:
            return linear_cross_entropy(hidden, self.table.embedding.weight, labels, smoothing)
        return self._sum(self.logits(hidden), labels)  # a pretrained backbone's table may do more than one product

    def _sum(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the sum of the losses. Shape: logits [..., V], labels [...] -> []."""
        return functional.cross_entropy(
            logits.float().flatten(0, -2), labels.flatten(), ignore_index=IGNORED,
            label_smoothing=self._label_smoothing, reduction="sum",
        )  # fmt: skip

    def _evaluate(self, hidden: Tensor, labels: Tensor, memory: Memory) -> tuple[Tensor, Tensor, Tensor]:
        """Return the number of tokens that are right, the loss of each that is scored, and which these are.

        Shape: hidden [N, T, D], labels [N, T] -> [], [tokens], [N, T].
        """
        scored = labels != IGNORED
        correct, losses = labels.new_zeros(()), []
        for logits, wanted in self._in_parts(hidden, labels, memory):
            losses.append(functional.cross_entropy(logits, wanted, reduction="none"))
            correct = correct + (logits.detach().argmax(-1) == wanted).sum()
        return correct, torch.cat(losses), scored

    def _in_parts(self, hidden: Tensor, labels: Tensor, memory: Memory) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the logits of the positions that are scored, and their labels, in order, about `CHUNK` at a time.

        Shape: hidden [N, T, D], labels [N, T] -> [n, V], [n].
        """
        scored = labels != IGNORED
        if not memory:
            parts = (torch.split(tensor[scored], CHUNK) for tensor in (hidden, labels))
            for part, wanted in zip(*parts, strict=True):
                yield self.logits(part).float(), wanted
            return
        size = max(1, CHUNK // hidden.shape[1])
        for start in range(0, len(hidden), size):
            rows = slice(start, start + size)
            logits = self.scores(hidden[rows], {name: tensor[rows] for name, tensor in memory.items()})
            yield logits[scored[rows]].float(), labels[rows][scored[rows]]


def _window_rows(batch: Batch) -> Tensor | None:
    """Return which windows of a batch are there, or None where it holds none. Shape: [B, W]."""
    return batch.targets["mask"].any(-1) if batch.targets["ids"].dim() == 3 else None


def _labels(batch: Batch) -> Tensor:
    """Return the labels as the sequence has them. Shape: [B, T]; or, of N windows, [N, T]."""
    windows = _window_rows(batch)
    return batch.targets["labels"] if windows is None else batch.targets["labels"][windows]
