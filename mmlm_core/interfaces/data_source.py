"""The contract of data sources. Imports no torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmlm_core.interfaces.stream import Stream

if TYPE_CHECKING:
    from mmlm_core.types import Example

__all__ = ["DataSource"]


class DataSource(ABC):
    """Rows of inputs and targets, by split. Built as `Class(options)`; reading a row decodes no media.

    Its options say which modalities it gives; the component's traits repeat that as `input:<modality>`. One whose
    component declares `suffixes` also opens files of rows to predict for, by `columns` and `open`.
    """

    @abstractmethod
    def splits(self) -> list[str]:
        """Return the splits that it has, of `train`, `validation`, `test`; at least one."""

    @abstractmethod
    def read(self, split: str) -> Sequence[Example] | Stream:
        """Return the rows of a split: a sequence that is cheap to index, or a stream where that is not to be had.

        Both are picklable. A sequence may have a method `targets`, which yields the target of each row in order where
        that is faster than to make the rows: heads look at all of them before a training; and a method `key`, which
        returns the key of a row that cannot be read.

        Raises:
            DataError: There is no such split, a file is missing or broken, a column is missing.
        """

    def columns(self, path: Path) -> list[str]:
        """Return the names of the columns of a file of rows.

        Raises:
            DataError: The file is missing, empty or broken.
        """
        raise NotImplementedError(f"{type(self).__name__} opens no files.")

    def open(self, path: Path, inputs: Mapping[str, Sequence[str]], prompt: str | None) -> Sequence[Example]:
        """Return all rows of a file, without targets; at least one.

        Args:
            path: The file.
            inputs: The columns of each modality.
            prompt: The column of prompts, if there is one.

        Raises:
            DataError: The file is missing, empty or broken, or a column is missing.
        """
        raise NotImplementedError(f"{type(self).__name__} opens no files.")
