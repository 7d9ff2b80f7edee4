"""The data source `table`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmlm_data.file_source import FileSource
from mmlm_data.options import TableOptions
from mmlm_data.parts import Part
from mmlm_data.reading import column_names, read_tables
from mmlm_data.rows import Rows

__all__ = ["TableSource"]


class TableSource(FileSource):
    """Rows of one table, or of a table for each split.

    Args:
        options: The options.
    """

    name = "table"

    def __init__(self, options: TableOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`."""
        return read_tables(path, wanted, self.options.encoding)

    def columns(self, path: Path) -> list[str]:
        """See `DataSource.columns`."""
        return column_names(path, self.options.encoding)

    def open(self, path: Path, inputs: Mapping[str, Sequence[str]], prompt: str | None) -> Rows:
        """See `DataSource.open`; an option of the training's file other than its encoding has no part in it."""
        wanted = {name: "--column" for names in inputs.values() for name in names}
        wanted |= {prompt: "--column"} if prompt else {}
        parts = self.parts(str(path), wanted)
        return Rows(parts, np.arange(sum(part.count for part in parts)), inputs, prompt=prompt)
