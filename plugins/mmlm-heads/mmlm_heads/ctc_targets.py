"""The processor of transcripts, and how many positions each needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmlm_core.errors import DataError, quoted
from mmlm_core.interfaces import TargetProcessor, Tokenizer
from mmlm_core.targets import has_targets
from mmlm_core.types import Example, Items

__all__ = ["CtcTargets", "needed_positions"]


def needed_positions(labels: Tensor) -> int:
    """Return the positions that a transcript needs: one for each token, and a blank between two that are the same."""
    return len(labels) + int((labels[1:] == labels[:-1]).sum())


class CtcTargets(TargetProcessor):
    """Makes token ids of transcripts, and refuses one that the positions of its input cannot hold.

    That is known of inputs whose processor gives `positions`; of others, only the loss can tell.

    Args:
        tokenizer: Of the transcripts.
        modality: The input whose positions are read.
    """

    def __init__(self, tokenizer: Tokenizer, modality: str) -> None:
        self._tokenizer = tokenizer
        self._modality = modality

    def process(self, example: Example, inputs: dict[str, list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        """Return `labels`, the ids; nothing where the target is None.

        Raises:
            DataError: The target is no text, is blank, or needs more positions than its input has.
        """
        if example.target is None:
            return {}
        labels = torch.tensor(self._ids(example.target), dtype=torch.long)
        items = inputs.get(self._modality)
        if items is not None and all("positions" in item for item in items):
            self._check(labels, sum(int(item["positions"]) for item in items))
        return {"labels": labels}

    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Pad and stack.

        Returns:
            `labels` [B, L], `label_lengths` [B], `needed_positions` [B]; nothing in prediction.

        Raises:
            DataError: Some rows have a transcript and some have none.
        """
        del inputs, generator
        if not has_targets(targets, "labels"):
            return {}
        labels = [target["labels"] for target in targets]
        return {
            "labels": pad_sequence(labels, batch_first=True, padding_value=self._tokenizer.pad),
            "label_lengths": torch.tensor([len(row) for row in labels]),
            "needed_positions": torch.tensor([needed_positions(row) for row in labels]),
        }

    def _ids(self, target: Any) -> list[int]:
        if not isinstance(target, str):
            raise DataError(f"The target must be a text, the transcript, not {quoted(target)}.")
        ids = self._tokenizer.encode(target) if target.strip() else []
        if not ids:
            raise DataError(f"The target {quoted(target)} is blank: there is nothing to transcribe.")
        return ids

    def _check(self, labels: Tensor, held: int) -> None:
        needed = needed_positions(labels)
        if needed > held:
            repeated = needed - len(labels)
            more = f", and {repeated} for a blank between two that are the same," if repeated else ""
            raise DataError(f"The transcript has {len(labels)} tokens{more} and so needs {needed} positions; its "
                            f"`{self._modality}` has {held}. Let the encoder give more positions a second, or choose a "
                            "tokenizer of longer tokens.")  # fmt: skip
