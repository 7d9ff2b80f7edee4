"""Labels of a classification: their names, their order, and the processor that numbers them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from mmlm_core.errors import DataError, did_you_mean, quoted
from mmlm_core.interfaces import TargetProcessor
from mmlm_core.targets import has_targets
from mmlm_core.types import Example, Items

__all__ = ["LabelSetTargets", "LabelTargets", "count_label_sets", "count_labels", "label_name", "label_names"]

SHOWN = 20
"""Labels that a message lists at most."""


def label_name(target: Any) -> str | None:
    """Return a label (text that is not blank, a whole number, a truth value) as text; None where the target is none.

    A whole number may be stored as 1.0: pandas makes floats of a column of whole numbers that has gaps.
    """
    if isinstance(target, str):
        return target if target.strip() else None
    if isinstance(target, float) and target.is_integer():
        return str(int(target))
    return str(target) if isinstance(target, Integral) else None


def label_names(target: Any, separator: str = "") -> list[str] | None:
    """Return the labels of a target (a list of labels, which may be empty; a label; a text with a separator between
    labels), each once; None where it has what is no label.

    Args:
        target: The target.
        separator: Between the labels of a text; the space around each is left out. Empty: a text is one label.
    """
    if isinstance(target, str) and separator:
        members: list[Any] = [part.strip() for part in target.split(separator)] if target.strip() else []
    else:
        members = list(target) if isinstance(target, list | tuple) else [target]
    names = [label_name(member) for member in members]
    return None if None in names else list(dict.fromkeys(filter(None, names)))


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
    return _ordered(counts)


def count_label_sets(targets: Iterable[Any], separator: str) -> tuple[dict[str, int], int]:
    """Return each label with the rows that have it, in order, and how many rows there are.

    A target that is no set of labels is passed over here; its row is refused, by its key, when it is read.

    Raises:
        DataError: No row has a label.
    """
    sets = [names for names in (label_names(target, separator) for target in targets) if names is not None]
    counts = Counter(name for names in sets for name in names)
    if not counts:
        raise DataError("The training targets must have labels; no row has one.")
    return _ordered(counts), len(sets)


def _ordered(counts: Counter[str]) -> dict[str, int]:
    numbers = all(name.removeprefix("-").isdecimal() and name.isascii() for name in counts)
    names = sorted(counts, key=lambda name: (int(name), name)) if numbers else sorted(counts)
    return {name: counts[name] for name in names}


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
            several = isinstance(example.target, list | tuple)
            hint = " Several labels a row: `head.multi_label=true`." if several else ""
            raise DataError("The target must be a label (text that is not blank, a whole number, or a truth value), "
                            f"not {quoted(example.target)}.{hint}")  # fmt: skip
        return {"label": torch.tensor(_number_of(name, self._labels, self._numbers))}

    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Stack the numbers: `label` [B]; nothing in prediction.

        Raises:
            DataError: Some rows have a label and some have none.
        """
        return {"label": torch.stack([target["label"] for target in targets])} if has_targets(targets, "label") else {}


class LabelSetTargets(TargetProcessor):
    """Says of each label whether a row has it.

    Args:
        labels: The labels of the training data, in order.
        separator: Between the labels of a target that is a text; empty: such a target is one label.
    """

    def __init__(self, labels: Sequence[str], separator: str) -> None:
        self._labels = list(labels)
        self._numbers = {label: number for number, label in enumerate(labels)}
        self._separator = separator

    def process(self, example: Example, inputs: dict[str, list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        """Return `labels`, whether the row has each of them; nothing where the target is None. Shape: [K].

        Raises:
            DataError: The target has what is no label, or one that the training data does not have.
        """
        if example.target is None:
            return {}
        names = label_names(example.target, self._separator)
        if names is None:
            raise DataError("The target must be a list of labels (each a text that is not blank, a whole number, or a "
                            f"truth value), not {quoted(example.target)}.")  # fmt: skip
        labels = torch.zeros(len(self._labels), dtype=torch.bool)
        for name in names:
            labels[_number_of(name, self._labels, self._numbers)] = True
        return {"labels": labels}

    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Stack the rows: `labels` [B, K]; nothing in prediction.

        Raises:
            DataError: Some rows have labels and some have none.
        """
        if not has_targets(targets, "labels"):
            return {}
        return {"labels": torch.stack([target["labels"] for target in targets])}


def _number_of(name: str, labels: Sequence[str], numbers: Mapping[str, int]) -> int:
    """Return the number of a label.

    Raises:
        DataError: The training data does not have it.
    """
    if name not in numbers:
        shown = ", ".join(f"`{label}`" for label in labels[:SHOWN])
        more = len(labels) - SHOWN
        raise DataError(f"The label `{name}` is not in the training data.{did_you_mean(name, labels)} "
                        f"Labels: {shown}{f' and {more} more' if more > 0 else ''}.")  # fmt: skip
    return numbers[name]
