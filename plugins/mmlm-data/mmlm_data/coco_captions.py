"""The data source `coco_captions`."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pyarrow as pa

from mmlm_core.errors import DataError
from mmlm_core.runs import is_main
from mmlm_data.caption_options import CocoCaptionsOptions
from mmlm_data.documents import document, media_folder, member, members, unlike
from mmlm_data.file_source import FileSource
from mmlm_data.parts import Part, part_of_rows
from mmlm_data.paths import existing

__all__ = ["CocoCaptionsSource"]

_log = logging.getLogger(__name__)

SCHEMA = pa.schema({"image": pa.string(), "captions": pa.list_(pa.string()), "caption": pa.string(), "id": pa.string()})


class CocoCaptionsSource(FileSource):
    """Captions of COCO (Chen et al. 2015, https://cocodataset.org/#format-data); a picture without one is left out.

    Args:
        options: The options.
    """

    name = "coco_captions"

    def __init__(self, options: CocoCaptionsOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`."""
        file = existing(path)
        content = document(file)
        names: dict[int, str] = {}
        for where, image in members(file, content, "images"):
            number = member(file, image, "id", int, where)
            unlike(file, names, number, where, "the picture")
            names[number] = member(file, image, "file_name", str, where)
        captions: dict[int, list[str]] = {}
        for where, annotation in members(file, content, "annotations"):
            image = member(file, annotation, "image_id", int, where)
            if image not in names:
                raise DataError(f"`{file}` {where} is of the picture {image}, which is not among `images`.")
            captions.setdefault(image, []).append(member(file, annotation, "caption", str, where).strip())
        lacking = next((name for image, name in names.items() if image not in captions), None)
        if lacking is not None and is_main():
            _log.warning("`%s`: pictures without a caption are left out: %s, as `%s`.", file,
                         f"{len(names) - len(captions):,}", lacking)  # fmt: skip
        rows = [
            {"image": names[image], "captions": texts, "caption": texts[0], "id": str(image)}
            for image, texts in captions.items()
        ]
        subset = file.stem.removeprefix("captions_")
        usual = [file.parent / subset, file.parent.parent / subset, file.parent / "images" / subset]
        folder = media_folder(self.options.images, file, usual, (names[image] for image in captions))
        return [part_of_rows(file, rows, SCHEMA, folder)]
