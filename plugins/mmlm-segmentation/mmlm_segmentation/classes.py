"""The classes of masks: their numbers, names and order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmlm_core.errors import DataError
from mmlm_core.targets import IGNORED
from mmlm_segmentation.masks import Numbers, load_mask
from mmlm_segmentation.options import SegmentationOptions

__all__ = ["Classes", "count_classes"]

ENOUGH = 200
"""Masks that tell which class is the most frequent, where the classes are known."""
MOST = 1 << 16


class Classes:
    """The classes, in the order of their numbers in a mask. A class's *place* is where it stands in this order.

    Args:
        facts: What `count_classes` returned.
        ignore: The number of pixels that are not scored.
    """

    def __init__(self, facts: Mapping[str, Any], ignore: int | None) -> None:
        self.names: list[str] = list(facts["classes"])
        self.numbers: Numbers = np.array(facts["numbers"], np.int32)
        self._ignore = ignore

    def __len__(self) -> int:
        return len(self.names)

    def places(self, numbers: Numbers) -> NDArray[np.int32]:
        """Return the places of a mask's classes; `IGNORED` where a pixel is not scored.

        Raises:
            DataError: A number is no class.

        Shape: [height, width].
        """
        found = np.searchsorted(self.numbers, numbers).clip(max=len(self) - 1).astype(np.int32)
        unknown = self.numbers[found] != numbers
        found[unknown] = IGNORED
        strange = sorted({int(number) for number in np.unique(numbers[unknown])} - {self._ignore})
        if strange:
            known = ", ".join(f"{number} {name}" if str(number) != name else name
                              for number, name in zip(self.numbers.tolist(), self.names, strict=True))  # fmt: skip
            left = "" if self._ignore is None else f"; {self._ignore} is not scored"
            raise DataError(f"The mask has the number {strange[0]}, which is no class. Classes: {known}{left}.")
        return found


def count_classes(options: SegmentationOptions, targets: Iterable[Any]) -> dict[str, Any]:
    """Return `numbers` and names of the `classes`, and `counts` of their pixels in the training masks.

    A mask that cannot be read is passed over here; its row is refused, by its key, when it is read. Where the options
    name the classes, the first masks are counted alone.

    Raises:
        DataError: The masks have fewer than two classes.
    """
    counts = np.zeros(MOST, np.int64)
    for target in islice(targets, ENOUGH) if options.classes else targets:
        try:
            numbers = load_mask(target)
        except DataError:
            continue
        counts += np.bincount(numbers.clip(0, MOST - 1).ravel(), minlength=MOST)
    ignored = int(counts[options.ignore]) if options.ignore is not None else 0
    if options.ignore is not None:
        counts[options.ignore] = 0
    if options.classes:
        named = options.scored
        return {"numbers": list(named), "classes": list(named.values()), "counts": counts[list(named)].tolist()}
    found: list[int] = np.flatnonzero(counts).tolist()
    if len(found) < 2:
        raise DataError(_too_few(found, ignored, options.ignore))
    return {"numbers": found, "classes": [str(number) for number in found], "counts": counts[found].tolist()}


def _too_few(numbers: Sequence[int], ignored: int, ignore: int | None) -> str:
    found = f"only the number {numbers[0]}" if numbers else "none that can be scored"
    hint = f" Pixels of {ignore} are not scored; `head.ignore=null` makes that a class." if ignored else ""
    return f"The training masks must have at least two classes; they have {found}.{hint}"
