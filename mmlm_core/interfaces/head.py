"""The contract of task heads, and of the processors that make their targets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from mmlm_core.targets import texts_in
from mmlm_core.types import Batch, Example, Features, Items, Loss
from mmlm_core.views import View

__all__ = ["Head", "TargetProcessor"]


class TargetProcessor(ABC):
    """Makes tensors of targets, in the data workers. It is picklable and holds no parameters.

    What is random lies in `collate` alone, so that `process` can be done once and kept.
    """

    def length(self, example: Example) -> int:
        """Return about how long a row's target is, without processing it; as `Processor.length`, by default 0."""
        del example
        return 0

    @abstractmethod
    def process(self, example: Example, inputs: dict[str, list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        """Return one row's target tensors; the same row always gives the same.

        Args:
            example: The row; its target is None in prediction, and then what only a loss needs may be left out
                (for all rows of a batch alike).
            inputs: What each modality's processor made of the row's items; it may be changed (span marks, word pieces).

        Raises:
            DataError: The target cannot be used: empty, unknown label, wrong type.
        """

    @abstractmethod
    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Stack and pad the rows' targets; it may corrupt the inputs (masked language modelling).

        Args:
            targets: What `process` returned, one a row.
            inputs: The collated inputs, which may be replaced.
            generator: The only source of randomness; None: this is not training.

        Returns:
            Tensors whose first axis is the rows: [B, ...].
        """

    def measures(self, tensors: Mapping[str, Tensor]) -> dict[str, float]:
        """Return what can be measured of a target, by name, for `mmlm data check`: `tokens`, `unknown tokens`.

        Args:
            tensors: What `process` made of it.
        """
        del tensors
        return {}

    def views(self, tensors: Mapping[str, Tensor]) -> list[View]:
        """Return what a model learns to say, made visible, for `mmlm data preview`; empty: targets show themselves.

        There is one a row; or, where several rows are packed into one, one for each of these.

        Args:
            tensors: What `collate` returned.
        """
        del tensors
        return []


class Head(nn.Module, ABC):
    """Says what to read out of a sequence, and turns it into a loss, predictions and metrics.

    Built as `Class(options, width=..., modalities=..., facts=...)`: the backbone's width, the names of the inputs
    (sorted), what `facts` returned; with `tokenizer=` and `table=` too where its traits say `uses_tokenizer`.

    Attributes:
        causal: Whether its positions must not see later ones.
        reads: The segments that it reads: `QUERIES`, or names of modalities.
        monitor: The figure by which a better model is known, and whether `min` or `max` is better.
        metric_ranges: The least and the greatest value of metrics, by name, which reports print beside them; infinity
            where there is none. What `metrics` does not return is not shown.
    """

    causal: bool = False
    reads: tuple[str, ...]
    monitor: tuple[str, str] = ("loss", "min")
    metric_ranges: Mapping[str, tuple[float, float]] = MappingProxyType({})

    @classmethod
    def facts(cls, options: Any, targets: Iterable[Any]) -> dict[str, Any]:
        """Return what the head must know of the training targets before it is built, as plain JSON values.

        Asked for only where the traits say `fits_targets`; it is kept in the run folder.

        Args:
            options: The head's options.
            targets: The training split's targets, in order.

        Raises:
            DataError: The targets cannot be used.
        """
        del options, targets
        return {}

    @classmethod
    def texts(cls, options: Any, example: Example) -> Iterator[str]:
        """Yield the texts of a row's prompt and target, which the tokenizer is trained on beside those of the inputs.

        Args:
            options: The head's options.
            example: A training row.
        """
        del options
        yield from texts_in([example.prompt, example.target])

    @abstractmethod
    def target_processor(self) -> TargetProcessor:
        """Return the processor of the targets."""

    @abstractmethod
    def queries(self, batch: Batch) -> Features | None:
        """Return the positions that the head adds to the sequence, or None where it reads the inputs' own.

        Shape: values [B, T, D].
        """

    @abstractmethod
    def loss(self, outputs: Mapping[str, Features], batch: Batch) -> Loss:
        """Return the loss.

        Args:
            outputs: The backbone's output by segment; and, of inputs that the fusion leaves out of the sequence, what
                was encoded of them. Shape of the values: [B, S, D].
            batch: With targets.
        """

    @abstractmethod
    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        """Return one prediction a row, as plain JSON values with at least `prediction`.

        Where a head makes its targets of the inputs, `reference` says what the prediction is to be, for a reader.

        A generative head scores given targets here, if that makes sense; its text comes from `mmlm_core.generation`.
        """

    def shown(self, target: Any) -> Any:
        """Return a target as a plain JSON value, in the form of a `prediction`, for files and pages; by default itself.

        A picture is a PNG in a data URL (`mmlm_core.media.picture_url`), in predictions too.
        """
        return target

    def constant(self) -> Any:
        """Return the `prediction` that is right most often without a look at the inputs, as a control.

        None: the most frequent of the training targets, where they are texts or whole numbers.
        """
        return None

    @abstractmethod
    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return the task's metrics over a whole split, those first that tell most: reports show three of them large.

        Args:
            predictions: What `predict` (or generation) returned, one a row.
            references: The targets of the same rows.
        """
