"""Makes batches of prepared rows: items of all rows side by side, each with its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from mmlm_core.data.dataset import Fault, Row, prepare
from mmlm_core.data.sampler import Draw, mixed_seed
from mmlm_core.errors import DataError
from mmlm_core.interfaces import Processor, TargetProcessor
from mmlm_core.types import Batch, Example, Items

__all__ = ["Collator", "collate_examples", "none_usable"]

TOLD = 10
"""Unusable rows whose reasons a message gives."""


class Collator:
    """Makes a `Batch` of prepared rows; picklable.

    What is random in it (augmentation, masking) follows from the seed, the epoch, the batch's number and the rank, so
    that it is the same with any number of workers and after a resume.

    Args:
        processors: The processor of each modality that the model reads.
        target_processor: The head's; None: no targets.
        seed: The run's seed; None: this is not training, and nothing is random.
    """

    def __init__(
        self, processors: Mapping[str, Processor], target_processor: TargetProcessor | None, seed: int | None = None
    ) -> None:
        self.processors = dict(sorted(processors.items()))
        self.target_processor = target_processor
        self.seed = seed

    @property
    def training(self) -> bool:
        """Whether the batches are for training."""
        return self.seed is not None

    def __call__(self, rows: Sequence[Row | Fault], draw: Draw | None = None) -> Batch:
        """Return the batch; rows that cannot be used are left out.

        Args:
            rows: What `Prepared` gave.
            draw: Which batch this is; None: nothing is random.

        Raises:
            DataError: No row can be used.
        """
        usable = [row for row in rows if not isinstance(row, Fault)]
        if not usable:
            raise none_usable([row for row in rows if isinstance(row, Fault)])
        inputs = {
            modality: replace(
                self._items(processor, [row.inputs[modality] for row in usable], self._random(draw, modality)),
                places=_places(usable, modality),
            )
            for modality, processor in self.processors.items()
        }
        targets = {}
        if self.target_processor is not None:
            random = self._random(draw, "target of the head")
            targets = self.target_processor.collate([row.targets for row in usable], inputs, random)
        examples = [row.example for row in usable if row.example is not None]
        return Batch(len(usable), inputs, targets, examples)

    def _random(self, draw: Draw | None, use: str) -> torch.Generator | None:
        """Return the source of randomness of one use, so that one modality's never shifts another's."""
        if self.seed is None or draw is None:
            return None
        return torch.Generator().manual_seed(mixed_seed(self.seed, use, draw.epoch, draw.batch, draw.rank))

    @staticmethod
    def _items(
        processor: Processor,
        rows: Sequence[Sequence[Mapping[str, torch.Tensor]]],
        generator: torch.Generator | None,
    ) -> Items:
        items = [item for row in rows for item in row]
        if not items:  # the encoder must stay in the graph
            return Items(processor.collate([processor.blank()], generator), torch.tensor([-1]))
        if len(items) == len(rows) and all(len(row) == 1 for row in rows):
            return Items(processor.collate(items, generator))
        owners = torch.tensor([index for index, row in enumerate(rows) for _ in row])
        return Items(processor.collate(items, generator), owners)


def _places(rows: Sequence[Row], modality: str) -> torch.Tensor | None:
    """Return where the items of a modality stand in their rows; None where no row says so. Shape: [I]."""
    if all(row.places is None for row in rows):
        return None
    places = [row.places.get(modality, ()) if row.places else [0] * len(row.inputs[modality]) for row in rows]
    return torch.tensor([place for each in places for place in each] or [0])  # without an item: that of the blank one


def none_usable(faults: Sequence[Fault]) -> DataError:
    """Return the error that says why no row can be used; of many rows, why the first ones cannot."""
    reasons = "".join(f"\n`{fault.key}`: {fault.reason}" for fault in faults[:TOLD])
    more = f"\nand {len(faults) - TOLD:,} more." if len(faults) > TOLD else ""
    return DataError(f"None of {len(faults):,} rows can be used:{reasons}{more}")


def collate_examples(
    examples: Sequence[Example], processors: Mapping[str, Processor], target_processor: TargetProcessor | None
) -> Batch:
    """Return the batch of some rows, for prediction: nothing in it is random.

    Raises:
        DataError: A row cannot be used; the message begins with its key.
    """
    rows = [prepare(example, processors, target_processor) for example in examples]
    return Collator(processors, target_processor)(rows)
