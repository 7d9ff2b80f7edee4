"""The data source `vqa`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from mmlm_core.errors import DataError
from mmlm_data.caption_options import VqaOptions
from mmlm_data.documents import document, media_folder, member, members, unlike
from mmlm_data.file_source import FileSource
from mmlm_data.parts import Part, part_of_rows
from mmlm_data.paths import existing

__all__ = ["VqaSource"]

SCHEMA = pa.schema(
    {
        "image": pa.string(),
        "question": pa.string(),
        "answers": pa.list_(pa.string()),
        "answer": pa.string(),
        "question_type": pa.string(),
        "answer_type": pa.string(),
        "id": pa.string(),
    }
)


class VqaSource(FileSource):
    """Questions and answers of VQA v2 (Goyal et al. 2017, https://visualqa.org/vqa_v2_teaser.html).

    Args:
        options: The options.
    """

    name = "vqa"

    def __init__(self, options: VqaOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`."""
        file = existing(path)
        content = document(file)
        subset = member(file, content, "data_subtype", str)
        answers = self._answers(file)
        rows: dict[int, dict[str, Any]] = {}
        for where, question in members(file, content, "questions"):
            number = member(file, question, "question_id", int, where)
            unlike(file, rows, number, where, "the question")
            image = member(file, question, "image_id", int, where)
            text = member(file, question, "question", str, where)
            row = {"image": self.options.image_name.format(id=image, subset=subset), "question": text}
            said = answers.get(number, {"picture": image})
            if said["picture"] != image:
                raise DataError(f"`{file}` {where} is about the picture {image}, and the answers to it are about the "
                                f"picture {said['picture']}: the two files are not of one set.")  # fmt: skip
            rows[number] = {**row, "id": str(number), **said}
        usual = [file.parent / subset, file.parent.parent / subset, file.parent / "images" / subset]
        folder = media_folder(self.options.images, file, usual, (row["image"] for row in rows.values()))
        return [part_of_rows(file, list(rows.values()), SCHEMA, folder)]

    def _answers(self, questions: Path) -> dict[int, dict[str, Any]]:
        """Return the answers to each question, by its number; none where there is no such file, as for the test."""
        usual = questions.name.replace("OpenEnded_", "").replace("questions", "annotations")
        file = questions.parent / (self.options.annotations or usual)
        if not file.is_file() or file == questions:
            if self.options.annotations:
                raise DataError(f"`{file}`, which `data.annotations` names, is no file.")
            return {}
        found: dict[int, dict[str, Any]] = {}
        for where, annotation in members(file, document(file), "annotations"):
            texts = [member(file, answer, "answer", str, place)
                     for place, answer in members(file, annotation, "answers", where)]  # fmt: skip
            number = member(file, annotation, "question_id", int, where)
            unlike(file, found, number, where, "the question")
            said = {name: member(file, annotation, name, str, where) if annotation.get(name) is not None else None
                    for name in ("multiple_choice_answer", "question_type", "answer_type")}  # fmt: skip
            found[number] = {
                "picture": member(file, annotation, "image_id", int, where),
                "answers": texts,
                "answer": said.pop("multiple_choice_answer") or max(texts, key=texts.count, default=None),
                **said,
            }
        return found
