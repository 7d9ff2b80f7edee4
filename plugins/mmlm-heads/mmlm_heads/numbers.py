"""Numbers as targets: one a row, or a list of as many for each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from mmlm_core.errors import DataError, quoted
from mmlm_core.interfaces import TargetProcessor
from mmlm_core.targets import has_targets
from mmlm_core.types import Example, Items

__all__ = ["NumberTargets", "numbers_of"]


def numbers_of(target: Any) -> list[float]:
    """Return the numbers of a target: a number, a text that reads as one, or a list of such.

    Raises:
        DataError: It is none of these, or not finite.
    """
    members = list(target) if isinstance(target, list | tuple) else [target]
    try:
        numbers = [float(member) for member in members if isinstance(member, Real | str)]
    except ValueError:
        numbers = []
    if not members or len(numbers) != len(members) or not all(map(math.isfinite, numbers)):
        raise DataError(f"The target must be a number, or a list of numbers, not {quoted(target)}.")
    return numbers


class NumberTargets(TargetProcessor):
    """Makes tensors of each row's numbers, less their mean and in units of their deviation.

    That is computed in double precision: numbers may be large beside what they differ by, as times are.

    Args:
        means: Of each number of a row.
        deviations: Likewise.
    """

    def __init__(self, means: Sequence[float], deviations: Sequence[float]) -> None:
        self._scales = list(zip(means, deviations, strict=True))

    def process(self, example: Example, inputs: dict[str, list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        """Return `numbers`; nothing where the target is None. Shape: [K].

        Raises:
            DataError: The target is no number, or has more or fewer of them than the training targets.
        """
        if example.target is None:
            return {}
        numbers = numbers_of(example.target)
        count = len(self._scales)
        if len(numbers) != count:
            raise DataError(f"The target has {len(numbers)} numbers, and those of the training {count}.")
        pairs = zip(numbers, self._scales, strict=True)
        return {"numbers": torch.tensor([(number - mean) / deviation for number, (mean, deviation) in pairs])}

    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Stack the rows: `numbers` [B, K]; nothing in prediction.

        Raises:
            DataError: Some rows have numbers and some have none.
        """
        return {"numbers": torch.stack([row["numbers"] for row in targets])} if has_targets(targets, "numbers") else {}
