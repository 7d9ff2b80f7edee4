"""What a validation measures beside the loss: the head's metrics over the predictions of some rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch

from mmlm_core import generation
from mmlm_core.data import collate_examples
from mmlm_core.judging import continuation, judge, writes_freely
from mmlm_core.model import Model
from mmlm_core.samples import with_shown_target
from mmlm_core.settings import DecodingOptions
from mmlm_core.training.feature_cache import FeatureCache
from mmlm_core.types import Batch, Example

__all__ = ["Validator"]

WRITTEN = 8
"""Rows whose text a language model goes on with, to be read."""


class Validator:
    """Predicts the same rows in every validation, and measures the predictions.

    Args:
        model: The model.
        batches: The rows, with their examples; None: nothing is predicted.
        decoding: How tokens are chosen.
        features: Those of frozen encoders.

    Attributes:
        rows: The rows with their latest predictions, to be shown.
    """

    def __init__(
        self, model: Model, batches: Iterable[Batch] | None, decoding: DecodingOptions, features: FeatureCache
    ) -> None:
        self._model = model
        self._batches = batches
        self._decoding = decoding
        self._features = features
        self.rows: list[tuple[Example, Mapping[str, Any]]] = []

    def measure(self, device: torch.device, precision: AbstractContextManager[Any]) -> dict[str, float]:
        """Predict and return the metrics; the model is in evaluation mode.

        Args:
            device: The model's.
            precision: The arithmetic.
        """
        if self._batches is None:
            return {}
        rows: list[tuple[Example, Mapping[str, Any]]] = []
        with precision:
            for batch in self._batches:
                _, predictions = judge(self._model, self._features.complete(batch.to(device)), self._decoding)
                rows.extend(zip(batch.examples, predictions, strict=True))
            shown = self._written(rows, device) if writes_freely(self._model) else rows
        self.rows = [(with_shown_target(example, self._model.head), prediction) for example, prediction in shown]
        references = [example.target for example, _ in rows]
        metrics = self._model.head.metrics([prediction for _, prediction in rows], references)
        return {name: float(value) for name, value in metrics.items()}

    def _written(
        self, rows: list[tuple[Example, Mapping[str, Any]]], device: torch.device
    ) -> list[tuple[Example, Mapping[str, Any]]]:
        """Return some of the rows, each with what the model writes after its beginning."""
        examples = [continuation(example) for example, _ in rows[:WRITTEN]]
        batch = collate_examples(examples, self._model.processors(), self._model.head.target_processor())
        predictions = generation.predict(self._model, batch.to(device), self._decoding)
        return list(zip(examples, predictions, strict=True))
