"""Counts the rows with more in them than a model reads, by the option that says how much it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Processor
from mmlm_core.types import Example

__all__ = ["Excess"]


class Excess:
    """How many rows are cut, of those that were counted.

    Args:
        processors: Of the modalities that are read.
        examples: Rows to count at once.

    Attributes:
        rows: Rows that were counted.
        cut: Those of them that are cut, by option with its value.
    """

    def __init__(self, processors: Mapping[str, Processor], examples: Iterable[Example] = ()) -> None:
        self._processors = processors
        self.rows = 0
        self.cut: Counter[str] = Counter()
        for example in examples:
            self.count(example)

    def count(self, example: Example) -> None:
        """Count a row; one that cannot be used is not cut."""
        self.rows += 1
        try:
            options = {processor.excess(item) for modality, processor in self._processors.items()
                       for item in example.inputs.get(modality) or ()}  # fmt: skip
        except DataError:
            return
        self.cut.update(options - {""})

    def told(self, where: str) -> str:
        """Return a line for each option that cuts rows; empty: there is none.

        Args:
            where: Which rows these are, as "of `train`".
        """
        return "\n".join(
            f"{cut:,} of {self.rows:,} rows {where} {'is' if cut == 1 else 'are'} longer than `{option}`: what is "
            "behind that is not read."
            for option, cut in sorted(self.cut.items())
        )
