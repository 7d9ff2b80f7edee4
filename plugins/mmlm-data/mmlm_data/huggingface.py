"""The data source `huggingface`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmlm_core.errors import DataError
from mmlm_data.file_source import FileSource
from mmlm_data.folders import Constant
from mmlm_data.hub import load
from mmlm_data.huggingface_options import HuggingFaceOptions
from mmlm_data.parts import Part
from mmlm_data.splits import WORDS

__all__ = ["HuggingFaceSource"]

SPLIT = "(split)"
"""The column of splits: a name that no column of a data set has."""


class HuggingFaceSource(FileSource):
    """Data sets of Hugging Face `datasets`, memory-mapped. Labels come by their names, media undecoded.

    Args:
        options: The options.
    """

    name = "huggingface"
    own_split = SPLIT

    def __init__(self, options: HuggingFaceOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`. Splits of other names than ours, as `unsupervised`, are left out."""
        splits = load(path, self.options.config, self.options.revision)
        ours = {name: data for name, data in splits.items() if name in WORDS and len(data)} or dict(splits)
        if not any(len(data) for data in ours.values()):
            raise DataError(f"`{path}` has no rows.")
        return [_part(path, name, data, alone=len(ours) == 1) for name, data in ours.items() if len(data)]


def _part(path: str, split: str, data: Any, alone: bool) -> Part:
    columns: dict[str, Sequence[Any]] = {name: _Column(data, name) for name in data.column_names}
    columns[SPLIT] = Constant(None if alone else split, len(data))
    name = Path(path).name
    return Part(Path(path), columns, len(data), Path(), _Keys(f"{name}/{split}", len(data)))


class _Column(Sequence[Any]):
    """A column of a data set. Picklable: `datasets` maps the files anew in another process."""

    def __init__(self, data: Any, name: str) -> None:
        import datasets

        kind = data.features[name]
        if isinstance(kind, datasets.Image | datasets.Audio | datasets.Video):
            data = data.cast_column(name, type(kind)(decode=False))
        self._data = data.select_columns([name]).with_format(None)
        self._name = name
        self._labels: list[str] | None = kind.names if isinstance(kind, datasets.ClassLabel) else None

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, place: Any) -> Any:
        cell = self._data[place][self._name]
        if self._labels is None or cell is None:
            return cell
        return self._labels[cell] if cell >= 0 else None  # -1 stands for what is not told, as in test splits


class _Keys(Sequence[str]):
    """The split and the number of each row."""

    def __init__(self, name: str, count: int) -> None:
        self._name, self._count = name, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: Any) -> Any:
        return f"{self._name}:{place + 1}"
