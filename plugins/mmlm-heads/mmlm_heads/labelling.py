"""What a classification does with the scores of the labels, apart from where they come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from mmlm_core.interfaces import TargetProcessor
from mmlm_core.types import Batch, Loss

__all__ = ["Labelling"]


class Labelling(nn.Module, ABC):
    """Turns scores of labels into a loss, predictions and metrics. Shape of the scores: [B, K].

    Attributes:
        monitor: The figure by which a better model is known.
    """

    monitor: tuple[str, str]

    @abstractmethod
    def target_processor(self) -> TargetProcessor:
        """Return the processor that numbers the labels."""

    @abstractmethod
    def loss(self, logits: Tensor, batch: Batch) -> Loss:
        """Return the loss, counted by rows; smoothing and weights are for training alone."""

    @abstractmethod
    def predict(self, logits: Tensor) -> list[dict[str, Any]]:
        """Return each row's `prediction`, and `probabilities`."""

    @abstractmethod
    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return the metrics of predictions; none where there are no rows."""
