"""The head `ctc`: a transcript, read off the positions of one input."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmlm_core.errors import OptionError, did_you_mean, one_of
from mmlm_core.interfaces import Head, TargetProcessor, Tokenizer
from mmlm_core.types import Batch, Features, Loss
from mmlm_heads.ctc_decoding import beam_search, greedy
from mmlm_heads.ctc_options import CtcOptions
from mmlm_heads.ctc_targets import CtcTargets

__all__ = ["Ctc"]

_log = logging.getLogger(__name__)


class Ctc(Head):
    """A linear layer over each position, to the tokens and a blank, with the loss of Graves et al. 2006.

    Every row's loss is finite: a row whose transcript its positions cannot hold has none. Where the input's processor
    tells how many positions there will be, such a row is refused before; elsewhere it is left out of loss and count,
    and logged.

    Args:
        options: See `CtcOptions`.
        width: D.
        modalities: Names of the inputs.
        facts: Not used.
        tokenizer: Of the transcripts.
        table: Its token table, which this head does not read.

    Raises:
        OptionError: `input` names none of the inputs.
    """

    monitor = ("cer", "min")

    def __init__(
        self,
        options: CtcOptions,
        *,
        width: int,
        modalities: tuple[str, ...],
        facts: Mapping[str, Any],
        tokenizer: Tokenizer,
        table: Any,
    ) -> None:
        super().__init__()
        del facts, table
        self.modality = modalities[0] if options.input is None else options.input
        if self.modality not in modalities:
            raise OptionError(f"`input` must name an input of the model, not `{self.modality}`."
                              f"{did_you_mean(self.modality, modalities)}{one_of(modalities)}")  # fmt: skip
        self.reads = (self.modality,)
        self.blank = tokenizer.vocabulary
        self._beams = options.beams
        self._tokenizer = tokenizer
        self.dropout = nn.Dropout(options.dropout)
        self.output = nn.Linear(width, tokenizer.vocabulary + 1)

    def target_processor(self) -> TargetProcessor:
        """Return the processor of the transcripts."""
        return CtcTargets(self._tokenizer, self.modality)

    def queries(self, batch: Batch) -> Features | None:
        """Return None: the input's own positions are read."""
        return None

    def loss(self, outputs: Mapping[str, Features], batch: Batch) -> Loss:
        """Return the negative log-likelihood of the transcripts, counted by their tokens."""
        log_probs, lengths = self._log_probs(outputs)
        labels, label_lengths = batch.targets["labels"], batch.targets["label_lengths"]
        held = batch.targets["needed_positions"] <= lengths
        if not held.all():
            self._tell(held, lengths, batch)
        losses = functional.ctc_loss(
            log_probs.transpose(0, 1),
            labels,
            lengths.clamp(min=1),
            label_lengths * held,  # an empty transcript is always finite
            blank=self.blank,
            reduction="none",
        )
        return Loss(losses.masked_fill(~held, 0).sum(), (label_lengths * held).sum())

    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        """Return each row's transcript; an empty one where it has no position."""
        log_probs, lengths = self._log_probs(outputs)
        rows = [row[:length] for row, length in zip(log_probs.cpu(), lengths.tolist(), strict=True)]
        if self._beams == 1:
            ids = [greedy(row, self.blank) for row in rows]
        else:
            ids = [beam_search(row, self.blank, self._beams) for row in rows]
        return [{"prediction": str(self._tokenizer.decode(row)) if row else ""} for row in ids]

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return `cer` and `wer`, the character and word error rates of jiwer (0 is best), and `exact_match`."""
        import jiwer

        given = [str(prediction["prediction"]) for prediction in predictions]
        wanted = [str(reference) for reference in references]
        if not wanted:
            return {}
        exact = sum(one.split() == other.split() for one, other in zip(given, wanted, strict=True)) / len(wanted)
        return {"cer": float(jiwer.cer(wanted, given)), "wer": float(jiwer.wer(wanted, given)), "exact_match": exact}

    def _log_probs(self, outputs: Mapping[str, Features]) -> tuple[Tensor, Tensor]:
        """Return the log-probability of each token and the blank at each valid position, these first, and their number.

        Shape: [B, T, V + 1], [B].
        """
        features = outputs[self.modality]
        values, valid = features.values, features.valid
        if not values.shape[1]:
            values, valid = functional.pad(values, (0, 0, 0, 1)), functional.pad(valid, (0, 1))
        if features.items is not None:  # between two items of a row there may be padding
            order = torch.argsort(valid.logical_not().to(torch.int8), dim=1, stable=True)
            values = values.gather(1, order.unsqueeze(-1).expand_as(values))
        return self.output(self.dropout(values)).float().log_softmax(-1), valid.sum(1)

    def _tell(self, held: Tensor, lengths: Tensor, batch: Batch) -> None:
        """Log which rows are left out."""
        for row in held.logical_not().nonzero()[:, 0].tolist():
            ids = batch.targets["labels"][row, : batch.targets["label_lengths"][row]].tolist()
            named = f"`{batch.examples[row].key}`" if batch.examples else "a row"
            _log.warning(
                "Left %s out of the loss: its transcript %r needs %d positions; its `%s` has %d.",
                named, self._tokenizer.decode(ids), batch.targets["needed_positions"][row], self.modality, lengths[row],
            )  # fmt: skip
