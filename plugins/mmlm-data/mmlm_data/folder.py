"""The data source `folder`."""

from __future__ import annotations

from collections.abc import Mapping

from mmlm_core.errors import DataError
from mmlm_data.file_source import FileSource
from mmlm_data.folder_options import FolderOptions
from mmlm_data.folders import relative, split_of
from mmlm_data.media import modality_of
from mmlm_data.parts import Part
from mmlm_data.paths import existing, files_below

__all__ = ["FolderSource"]


class FolderSource(FileSource):
    """Files of media by class.

    Args:
        options: The options.
    """

    name = "folder"
    own_split = "split"

    def __init__(self, options: FolderOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`."""
        root = existing(path)
        if not root.is_dir():
            raise DataError(f"`{path}` must be a folder of folders, one a class, not a file.")
        names = [relative(root, file) for file in files_below(root) if modality_of(file.name)]
        if not names:
            raise DataError(f"`{path}` has no file of pictures, sound or film.")
        splits = [split_of(name) for name in names]
        labels = [_label(name, split) for name, split in zip(names, splits, strict=True)]
        columns = {
            "file": names,
            "label": labels,
            "split": splits,
        }
        if "label" in wanted and not any(labels):
            raise DataError(f"`{path}` must be a folder of folders, one a class: `{names[0]}` lies in none, nor does "
                            "any other file.")  # fmt: skip
        return [Part(root, columns, len(names), root, names)]


def _label(name: str, split: str | None) -> str | None:
    """Return the class that a path below the root says: its first folder, after that of the split."""
    folders = name.split("/")[1 if split else 0 : -1]
    return folders[0] if folders else None
