"""The data source `text`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmlm_core.errors import DataError
from mmlm_data.encodings import utf8
from mmlm_data.file_source import FileSource
from mmlm_data.folders import Constant, relative, split_of
from mmlm_data.language_options import TextOptions, Unit
from mmlm_data.parts import Part
from mmlm_data.paths import files_at, openable
from mmlm_data.spans import Lines, Paragraphs

__all__ = ["TextSource"]


class TextSource(FileSource):
    """Plain text, which stays in its files until it is asked for.

    Args:
        options: The options.
    """

    name = "text"
    own_split = "split"

    def __init__(self, options: TextOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`."""
        files = files_at(path, self.options.suffixes)
        given = Path(path).expanduser()
        root = given if given.is_dir() else files[0].parent
        if self.options.unit is Unit.document:
            return [self._documents(root, files)]
        parts = [part for file in files if (part := self._pieces(root, file)).count]
        if not parts:
            raise DataError(f"`{path}` has no rows: nothing stands in it but white space.")
        return parts

    def _documents(self, root: Path, files: Sequence[Path]) -> Part:
        """Return the files as rows."""
        names = [_name(root, file) for file in files]
        columns = {
            "text": _Contents(files, self.options.encoding),
            "file": names,
            "folder": [file.parent.name for file in files],
            "split": [split_of(name) for name in names],
        }
        return Part(root, columns, len(files), root, names)

    def _pieces(self, root: Path, file: Path) -> Part:
        """Return the lines or the paragraphs of a file as rows."""
        with openable(file):
            pieces = (Lines if self.options.unit is Unit.line else Paragraphs)(file, self.options.encoding)
        name, count = _name(root, file), len(pieces)
        said = {"file": name, "folder": file.parent.name, "split": split_of(name)}
        columns = {"text": _Texts(pieces), **{each: Constant(value, count) for each, value in said.items()}}
        return Part(file, columns, count, root, _Keys(name, pieces))


@dataclass(frozen=True)
class _Contents(Sequence[str]):
    """The texts of files, each read when it is asked for."""

    files: Sequence[Path]
    encoding: str

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, place: Any) -> Any:
        with openable(self.files[place]):
            return utf8(self.files[place], self.encoding).to_pybytes().decode().strip()


@dataclass(frozen=True)
class _Texts(Sequence[str]):
    """Pieces without the white space around them, and with plain line breaks."""

    pieces: Lines | Paragraphs

    def __len__(self) -> int:
        return len(self.pieces)

    def __getitem__(self, place: Any) -> Any:
        return self.pieces[place].replace("\r\n", "\n").strip()


@dataclass(frozen=True)
class _Keys(Sequence[str]):
    """The file and the line in which each piece begins."""

    name: str
    pieces: Lines | Paragraphs

    def __len__(self) -> int:
        return len(self.pieces)

    def __getitem__(self, place: Any) -> Any:
        return f"{self.name}:{self.pieces.number(place)}"


def _name(root: Path, file: Path) -> str:
    return relative(root, file) if file.is_relative_to(root) else str(file)
