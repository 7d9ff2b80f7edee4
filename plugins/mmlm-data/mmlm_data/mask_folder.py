"""The data source `mask_folder`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmlm_core.errors import DataError, did_you_mean
from mmlm_core.runs import is_main
from mmlm_data.file_source import FileSource
from mmlm_data.folder_options import MaskFolderOptions
from mmlm_data.folders import relative, split_of
from mmlm_data.media import modality_of
from mmlm_data.parts import Part
from mmlm_data.paths import existing, files_below, openable
from mmlm_data.spans import Lines
from mmlm_data.splits import TEST, TRAIN, VALIDATION

__all__ = ["MaskFolderSource"]

IMAGES = ("images", "JPEGImages", "imgs", "img")
MASKS = ("masks", "annotations", "SegmentationClass", "labels", "mask")

LISTS = Path("ImageSets", "Segmentation")
LISTED = {"train": TRAIN, "val": VALIDATION, "test": TEST}
"""Where Pascal VOC lists the names of each split, and under which words."""

_log = logging.getLogger(__name__)


class MaskFolderSource(FileSource):
    """Pictures and masks, as Pascal VOC, ADE20K and most annotation tools lay them out.

    Args:
        options: The options.
    """

    name = "mask_folder"
    own_split = "split"

    def __init__(self, options: MaskFolderOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`."""
        root = existing(path)
        images = _named(_folder(root, self.options.images, IMAGES, "images"))
        masks = _named(_folder(root, self.options.masks, MASKS, "masks"), self.options.mask_suffix)
        stray = next((name for name in masks if name not in images), None)
        if stray is not None:
            raise DataError(f"`{masks[stray]}` is the mask of no picture: there is no `{stray}` among the pictures."
                            f"{did_you_mean(stray, images)}")  # fmt: skip
        if not masks:
            raise DataError(f"`{root}` has no masks.")
        if len(images) > len(masks) and is_main():
            _log.warning("`%s`: %s of %s pictures have no mask, and are left out.", root,
                         f"{len(images) - len(masks):,}", f"{len(images):,}")  # fmt: skip
        listed = _listed(root)
        names = [name for name in masks if not listed or name in listed]
        columns = {
            "image": [str(images[name].absolute()) for name in names],
            "mask": [str(masks[name].absolute()) for name in names],
            "split": [listed.get(name) or split_of(name) for name in names],
        }
        return [Part(root, columns, len(names), root, names)]


def _folder(root: Path, given: str | None, usual: Sequence[str], option: str) -> Path:
    """Return the folder of the pictures or the masks."""
    for name in usual if given is None else (given,):
        if (root / name).is_dir():
            return root / name
    wanted = " or ".join(f"`{name}`" for name in (usual if given is None else (given,)))
    here = [each.name for each in root.iterdir() if each.is_dir()] if root.is_dir() else []
    raise DataError(f"`{root}` has no folder {wanted}: name it, as `data.{option}=FOLDER`. It has "
                    f"{', '.join(f'`{name}`' for name in sorted(here)) or 'none'}.")  # fmt: skip


def _named(folder: Path, suffix: str = "") -> dict[str, Path]:
    """Return the pictures of a folder and below, by their path without its ending (and suffix)."""
    named: dict[str, Path] = {}
    for file in files_below(folder):
        if modality_of(file.name) == "image":
            name = relative(folder, file.with_suffix("")).removesuffix(suffix)
            if name in named:
                raise DataError(f"`{named[name]}` and `{file}` have one name but for their endings: which of them a "
                                "mask is for cannot be told.")  # fmt: skip
            named[name] = file
    return named


def _listed(root: Path) -> dict[str, str]:
    """Return the splits of pictures that are listed, by name."""
    splits: dict[str, str] = {}
    for word, split in LISTED.items():
        file = root / LISTS / f"{word}.txt"
        if file.is_file():
            with openable(file):
                splits |= {name.strip(): split for name in Lines(file, "utf-8")}
    return splits
