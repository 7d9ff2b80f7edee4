"""The data source `common_voice`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmlm_core.errors import DataError
from mmlm_data.file_source import FileSource
from mmlm_data.folders import Constant
from mmlm_data.parts import Part, check_columns
from mmlm_data.paths import existing, openable
from mmlm_data.spans import Lines
from mmlm_data.speech_options import CommonVoiceOptions
from mmlm_data.splits import TEST, TRAIN, VALIDATION

__all__ = ["CommonVoiceSource"]

FILES = {"train.tsv": TRAIN, "dev.tsv": VALIDATION, "test.tsv": TEST}

CLIPS = "clips"


class CommonVoiceSource(FileSource):
    """Sentences that volunteers read aloud (Ardila et al. 2020, https://commonvoice.mozilla.org).

    Args:
        options: The options.
    """

    name = "common_voice"
    own_split = "split"

    def __init__(self, options: CommonVoiceOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`."""
        given = existing(path)
        if not given.is_dir():
            return [_part(given, None)]
        found = [_part(given / name, split) for name, split in FILES.items() if (given / name).is_file()]
        if not found:
            raise DataError(f"`{path}` has none of {', '.join(f'`{name}`' for name in FILES)}: name a file, as "
                            f"`data.path={given / 'validated.tsv'}`.")  # fmt: skip
        return found


def _part(file: Path, split: str | None) -> Part:
    with openable(file):
        lines = Lines(file, "utf-8")
    names = lines[0].rstrip("\r").split("\t") if len(lines) else []
    check_columns(file, names, {"path": "data=common_voice"})
    count = len(lines) - 1
    if not count:
        raise DataError(f"`{file}` has no rows.")
    columns: dict[str, Sequence[Any]] = {
        name: _Cells(file, lines, place, len(names)) for place, name in enumerate(names)
    }
    audio = _Cells(file, lines, names.index("path"), len(names), f"{CLIPS}/")
    return Part(file, columns | {"audio": audio, "split": Constant(split, count)}, count, file.parent)


@dataclass(frozen=True)
class _Cells(Sequence[Any]):
    """A column of a TSV without quotes, whose first line is the header."""

    file: Path
    lines: Lines
    cell: int
    width: int
    before: str = ""

    def __len__(self) -> int:
        return len(self.lines) - 1

    def __getitem__(self, place: Any) -> Any:
        line = self.lines[place + 1].rstrip("\r")
        cells = line.split("\t")
        if len(cells) != self.width:
            raise DataError(f"`{self.file}` line {self.lines.number(place + 1)} has {len(cells)} cells between tabs "
                            f"and must have {self.width}: `{line[:60]}`.")  # fmt: skip
        return self.before + cells[self.cell] if cells[self.cell] else None
