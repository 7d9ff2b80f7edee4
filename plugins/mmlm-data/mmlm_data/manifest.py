"""The data source `manifest`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmlm_core.errors import DataError
from mmlm_data.file_source import FileSource
from mmlm_data.json_files import Field, read_json
from mmlm_data.parts import Part
from mmlm_data.paths import files_at, openable
from mmlm_data.speech_options import ManifestOptions

__all__ = ["ManifestSource"]

SUFFIXES = (".json", ".jsonl", ".ndjson")
"""NeMo writes JSON lines under either ending."""


class ManifestSource(FileSource):
    """Sounds and transcripts by JSON lines.

    Args:
        options: The options.
    """

    name = "manifest"

    def __init__(self, options: ManifestOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`."""
        found = []
        for file in files_at(path, SUFFIXES):
            with openable(file):
                columns = read_json(file, wanted, "utf-8")
            whole = {name: _Whole(file, column) for name, column in columns.items()}
            found.append(Part(file, whole, len(next(iter(whole.values()))), file.parent))
        return found


@dataclass(frozen=True)
class _Whole(Sequence[Any]):
    """A column, of rows that have a sound each: a part of a longer one is not read."""

    file: Path
    column: Field

    def __len__(self) -> int:
        return len(self.column)

    def __getitem__(self, place: Any) -> Any:
        """Return a cell.

        Raises:
            DataError: The row is a part of a sound, or cannot be read.
        """
        offset = self.column.rows[place].get("offset")
        if offset:
            raise DataError(f"`{self.file}` row {place + 1} begins {offset} seconds into its sound: only whole sounds "
                            "are read, so cut them into files first.")  # fmt: skip
        return self.column[place]
