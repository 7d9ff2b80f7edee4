"""The data source `manifest`."""

from __future__ import annotations

from collections.abc import Mapping

from mmlm_data.file_source import FileSource
from mmlm_data.json_files import read_json
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
            count = len(next(iter(columns.values())))
            found.append(Part(file, columns, count, file.parent))
        return found
