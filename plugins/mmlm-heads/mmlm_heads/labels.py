"""Labels of a classification: their names, their order, and the processor that numbers them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from mmlm_core.errors import DataError, did_you_mean
from mmlm_core.interfaces import TargetProcessor
from mmlm_core.types import Example, Items

__all__ = ["LabelTargets", "count_labels", "has_targets", "label_name"]

SHOWN = 20
"""Labels that a message lists at most."""


def label_name(target: Any) -> str | None:
    """Return a label (text that is not blank, a whole number, a truth value) as text; None where the target is none."""
    if isinstance(target, str):
        return target if target.strip() else None
    return str(target) if isinstance(target, Integral) else None


def count_labels(targets: Iterable[Any]) -> dict[str, int]:
    """Return each distinct label with its rows, in order: by number where all of them are whole numbers, else by name.

    A target that is no label is passed over here; its row is refused, by its key, when it is read.

    Raises:
        DataError: There are fewer than two labels.
    """
    counts = Counter(name for name in map(label_name, targets) if name is not None)
    if len(counts) < 2:
        found = f"only `{next(iter(counts))}`, in {counts.total()} rows" if counts else "no label at all"
        raise DataError(f"The training targets must have at least two different labels; they have {found}.")
    numbers = all(name.removeprefix("-").isdecimal() and name.isascii() for name in counts)
    names = sorted(counts, key=lambda name: (int(name), name)) if numbers else sorted(counts)
    return {name: counts[name] for name in names}


def has_targets(targets: Sequence[Mapping[str, Tensor]], name: str) -> bool:
    """Return whether the rows of a batch have a target (they do in training, and may not in prediction).

    Raises:
        DataError: Some have and some have not.
    """
    given = sum(name in target for target in targets)
    if 0 < given < len(targets):
        raise DataError(f"{len(targets) - given} of the {len(targets)} rows of a batch have no target: all rows must "
                        "have one, or, in prediction, none.")  # fmt: skip
    return given > 0


class LabelTargets(TargetProcessor):
    """Numbers the labels.

    Args:
        labels: The labels of the training data, in order.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = list(labels)
        self._numbers = {label: number for number, label in enumerate(labels)}

    def process(self, example: Example, inputs: dict[str, list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        """Return `label`, the number of the row's label; nothing where the target is None.

        Raises:
            DataError: The target is no label, or one that the training data does not have.
        """
        if example.target is None:
            return {}
        name = label_name(example.target)
        if name is None:
            raise DataError("The target must be a label (text that is not blank, a whole number, or a truth value), "
                            f"not {example.target!r}.")  # fmt: skip
        if name not in self._numbers:
            raise DataError(f"The label `{name}` is not in the training data.{did_you_mean(name, self._labels)} "
                            f"{self._listed()}")  # fmt: skip
        return {"label": torch.tensor(self._numbers[name])}

    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Stack the numbers: `label` [B]; nothing in prediction.

        Raises:
            DataError: Some rows have a label and some have none.
        """
        return {"label": torch.stack([target["label"] for target in targets])} if has_targets(targets, "label") else {}

    def _listed(self) -> str:
        shown = ", ".join(f"`{label}`" for label in self._labels[:SHOWN])
        more = len(self._labels) - SHOWN
        return f"Labels: {shown}{f' and {more} more' if more > 0 else ''}."
