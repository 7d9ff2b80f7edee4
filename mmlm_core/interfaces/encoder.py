"""The contract of modality encoders, and of the processors that make their tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmlm_core.types import Example, Features
from mmlm_core.views import View

__all__ = ["Encoder", "Processor"]


class Processor(ABC):
    """Makes tensors of raw items, in the data workers. It is picklable and holds no parameters.

    What is random lies in `collate` alone, so that `process` can be done once and kept.

    Attributes:
        content: The tensors that `process` makes for the encoder's `forward` and for nobody else, as `("pixels",)`.
            Where the encoder is frozen its features can be kept in their place (`loader.features`): then they are not
            made, and all others are stacked, so these must have one shape. Empty: features are never kept.
    """

    content: tuple[str, ...] = ()

    @property
    def augments(self) -> bool:
        """Whether `collate` changes the items at random where it is given a generator; by default it may."""
        return True

    def lay_out(self, example: Example) -> Example:
        """Return a row as its items are to be processed, with others or in another order; by default as it is.

        Args:
            example: The row, which is not changed itself.

        Raises:
            DataError: The row cannot be laid out.
        """
        return example

    def length(self, item: Any) -> int:
        """Return how many positions an item takes, as near as is known without opening a file; by default 0: as many
        as any other.

        By this, rows of like length come into one batch (`loader.bucket`).

        Args:
            item: As for `process`, and maybe one that `process` would refuse.
        """
        del item
        return 0

    @abstractmethod
    def process(self, item: Any) -> dict[str, Tensor]:
        """Return one item's tensors; the same item always gives the same.

        Args:
            item: As the data source gives it: for pictures a path, the file's bytes, or a PIL picture (see
                `mmlm_core.media`); for text a string.

        Raises:
            DataError: The item cannot be used.
        """

    @abstractmethod
    def blank(self) -> dict[str, Tensor]:
        """Return the tensors of an item without content, for a batch in which no row has one."""

    @abstractmethod
    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: torch.Generator | None) -> dict[str, Tensor]:
        """Stack items, pad what has different lengths, and augment where this is training.

        Args:
            items: What `process` returned, one each; at least one.
            generator: The only source of randomness; None: no augmentation (validation, prediction).

        Returns:
            Tensors whose first axis is the items: [I, ...].
        """

    def excess(self, item: Any) -> str:
        """Return the option that cuts an item, with its value, as `encoder.text.max_tokens=256`; empty: none does.

        Rows with such items are counted and told: before a training, and after an evaluation or a prediction.

        Raises:
            DataError: It is no item of the modality.
        """
        del item
        return ""

    def measures(self, tensors: Mapping[str, Tensor]) -> dict[str, float]:
        """Return what can be measured of an item, by name, for `mmlm data check`: `tokens`, `width`, `seconds`.

        Args:
            tensors: What `process` made of it.
        """
        del tensors
        return {}

    def views(self, tensors: Mapping[str, Tensor]) -> list[View]:
        """Return what a model gets of each item, made visible, for `mmlm data preview`; empty: the items are to show
        themselves.

        Args:
            tensors: What `collate` returned.
        """
        del tensors
        return []

    def picture(self, item: Any) -> Any:
        """Return a look of an item, as a PIL picture, for reports; None where the item is to show itself."""
        return None


class Encoder(nn.Module, ABC):
    """Turns the items of one modality into features.

    Built as `Class(options)`; with `tokenizer=` and `table=` too where its traits say `uses_tokenizer`.

    Attributes:
        width: D of its features.
    """

    width: int

    def initialise(self) -> str:
        """Take what the encoder begins with from outside, as pretrained weights out of a file; by default nothing.

        Called once, when a training begins, and not where a run is loaded or resumed, which has its own weights.

        Returns:
            A line that tells what was taken; empty: nothing.

        Raises:
            DataError: The file is missing, broken, or of something else.
        """
        return ""

    def stages(self) -> Sequence[Sequence[nn.Module | nn.Parameter]]:
        """Return its parts in the order in which they read an item, so that the first of them can be frozen
        (`trainer.freeze`); by default it has none, and is frozen whole.
        """
        return ()

    @abstractmethod
    def processor(self) -> Processor:
        """Return the processor of the raw items."""

    @abstractmethod
    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Encode a batch of items, each of them apart from the others.

        Shape: tensors [I, ...] -> features with values [I, T, D] and a mask [I, T] where lengths differ.
        """
