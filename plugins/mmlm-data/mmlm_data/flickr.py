"""The data source `flickr`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from mmlm_core.errors import DataError
from mmlm_data.caption_options import FlickrOptions
from mmlm_data.documents import media_folder
from mmlm_data.file_source import FileSource
from mmlm_data.parts import Part, part_of_rows
from mmlm_data.paths import existing, openable
from mmlm_data.spans import Lines
from mmlm_data.splits import TEST, TRAIN, VALIDATION

__all__ = ["FlickrSource"]

SCHEMA = pa.schema(
    {"image": pa.string(), "captions": pa.list_(pa.string()), "caption": pa.string(), "split": pa.string()}
)

LISTS = {"train": TRAIN, "dev": VALIDATION, "test": TEST}
"""The word in the name of a list of pictures, as `Flickr_8k.devImages.txt`, and the split that it lists."""

FOLDERS = ("Flicker8k_Dataset", "Flickr8k_Dataset", "flickr30k-images", "flickr30k_images", "Images", "images")


class FlickrSource(FileSource):
    """Captions of Flickr8k (Hodosh et al. 2013) and Flickr30k (Young et al. 2014).

    Args:
        options: The options.
    """

    name = "flickr"
    own_split = "split"

    def __init__(self, options: FlickrOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`."""
        file = existing(path)
        captions = _captions(file)
        splits = {} if path != self.options.path else _splits(file.parent)
        if splits:  # Flickr8k's lists leave 92 of its pictures out
            captions = {name: texts for name, texts in captions.items() if name in splits}
        rows = [
            {"image": name, "captions": texts, "caption": texts[0], "split": splits.get(name)}
            for name, texts in captions.items()
        ]
        usual = [file.parent / name for name in FOLDERS] + [file.parent.parent / name for name in FOLDERS]
        return [part_of_rows(file, rows, SCHEMA, media_folder(self.options.images, file, usual, captions))]


def _captions(file: Path) -> dict[str, list[str]]:
    """Return the captions of each picture, in order."""
    captions: dict[str, list[str]] = {}
    with openable(file):
        lines = Lines(file, "utf-8")
    for place in range(len(lines)):
        mark, tab, text = lines[place].rstrip("\r").partition("\t")
        name, sign, number = mark.rpartition("#")
        if not (tab and sign and name and number.strip().isdecimal()):
            raise DataError(f"`{file}` line {lines.number(place)} must read `NAME.jpg#0`, a tab, and a caption, "
                            f"not `{lines[place][:60]}`.")  # fmt: skip
        captions.setdefault(name, []).append(text.strip())
    return captions


def _splits(folder: Path) -> dict[str, str]:
    """Return the split of each picture that a list beside the captions names."""
    splits: dict[str, str] = {}
    for word, split in LISTS.items():
        for file in sorted(folder.glob(f"*{word}Images.txt")):
            with openable(file):
                splits |= {name.strip(): split for name in Lines(file, "utf-8")}
    return splits
