"""The data source `karpathy`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from mmlm_data.caption_options import KarpathyOptions
from mmlm_data.documents import document, media_folder, member, members
from mmlm_data.file_source import FileSource
from mmlm_data.parts import Part, part_of_rows
from mmlm_data.paths import existing

__all__ = ["KarpathySource"]

SCHEMA = pa.schema(
    {"image": pa.string(), "captions": pa.list_(pa.string()), "caption": pa.string(), "split": pa.string()}
)

RESTVAL = "restval"
"""The rest of COCO's validation pictures, which everybody trains on too."""


class KarpathySource(FileSource):
    """Pictures, captions and splits of Karpathy and Fei-Fei 2015, for COCO, Flickr8k and Flickr30k.

    Args:
        options: The options.
    """

    name = "karpathy"
    own_split = "split"

    def __init__(self, options: KarpathyOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`."""
        file = existing(path)
        rows = [_row(file, image, where) for where, image in members(file, document(file), "images")]
        usual = [file.parent / "images", file.parent / "coco"]
        folder = media_folder(self.options.images, file, usual, (row["image"] for row in rows))
        return [part_of_rows(file, rows, SCHEMA, folder)]


def _row(file: Path, image: Any, where: str) -> dict[str, Any]:
    name = member(file, image, "filename", str, where)
    below = member(file, image, "filepath", str, where) if "filepath" in image else ""
    texts = [member(file, sentence, "raw", str, place).strip()
             for place, sentence in members(file, image, "sentences", where)]  # fmt: skip
    split = member(file, image, "split", str, where)
    return {
        "image": os.path.join(below, name),  # noqa: PTH118
        "captions": texts,
        "caption": texts[0] if texts else None,
        "split": "train" if split == RESTVAL else split,
    }
