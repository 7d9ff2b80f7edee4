"""The contract of data sources. Imports no torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmlm_core.types import Example

__all__ = ["DataSource"]


class DataSource(ABC):
    """Rows of inputs and targets, by split. Built as `Class(options)`; reading a row decodes no media.

    Its options say which modalities it gives; the component's traits repeat that as `input:<modality>`.
    """

    @abstractmethod
    def splits(self) -> list[str]:
        """Return the splits that it has, of `train`, `validation`, `test`; at least one."""

    @abstractmethod
    def read(self, split: str) -> Sequence[Example]:
        """Return the rows of a split, as a sequence that is picklable and cheap to index.

        Raises:
            DataError: There is no such split, a file is missing or broken, a column is missing.
        """
