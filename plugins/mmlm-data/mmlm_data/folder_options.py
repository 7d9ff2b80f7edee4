"""The options of folders of pictures, sounds and masks. Imports neither torch nor pyarrow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mmlm_core.errors import DataError
from mmlm_data.media import modality_of
from mmlm_data.options import FileOptions

__all__ = ["FolderOptions", "MaskFolderOptions"]


@dataclass
class FolderOptions(FileOptions):
    """Folders of pictures, sounds or films; the name of a file's folder is its label."""

    reads_inputs: ClassVar[bool] = True

    own_columns: ClassVar[tuple[str, ...]] = ("file", "label", "split")

    path: str | None = None
    """The folder of the classes' folders. Folders `train`, `validation` (or valid, val, dev) and `test` between them
    and it are the splits."""
    inputs: dict[str, Any] = field(default_factory=dict)
    """The column of each modality, as `image: file`; without one, `file` for the modality that the first file's ending
    says. Columns: `file`, `label`."""
    target: str | None = "label"
    """The column that the model is to learn to say."""

    def first_row(self) -> Mapping[str, Any]:
        """See `FileOptions.first_row`."""
        from mmlm_data.paths import existing, files_below

        names = (str(file) for file in files_below(existing(self.path or "")))
        first = next(filter(modality_of, names), None)
        if first is None:
            raise DataError(f"`{self.path}` has no file of pictures, sound or film.")
        return {"file": first}


@dataclass
class MaskFolderOptions(FileOptions):
    """Pictures with masks of the same names in another folder, for segmentation."""

    target_words: ClassVar[Mapping[str, tuple[str, ...]]] = {"mask": ("target:masks",)}

    own_columns: ClassVar[tuple[str, ...]] = ("image", "mask", "split")

    path: str | None = None
    """The folder of both, as `VOC2012` or `ADEChallengeData2016`. Folders `train` (or training), `validation` (or
    valid, val, dev) and `test` below them, or Pascal VOC's `ImageSets/Segmentation/train.txt`, are the splits."""
    images: str | None = None
    """The folder of the pictures in it; without one, `images`, `JPEGImages`, `imgs` or `img`."""
    masks: str | None = None
    """The folder of the masks in it; without one, `masks`, `annotations`, `SegmentationClass`, `labels` or `mask`."""
    mask_suffix: str = ""
    """What the name of a mask has more than its picture's, as `_mask` in `cat_mask.png`."""
    inputs: dict[str, Any] = field(default_factory=lambda: {"image": "image"})
    """The column of each modality. Columns: `image`, `mask`."""
    target: str | None = "mask"
    """The column that the model is to learn to say: the path of the mask."""
