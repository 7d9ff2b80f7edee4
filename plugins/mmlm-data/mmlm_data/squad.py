"""The data source `squad`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from mmlm_core.errors import DataError, quoted
from mmlm_data.documents import document, member, members
from mmlm_data.file_source import FileSource
from mmlm_data.language_options import SquadOptions
from mmlm_data.parts import Part, part_of_rows
from mmlm_data.paths import existing

__all__ = ["SquadSource"]

ANSWERS, STARTS = pa.list_(pa.string()), pa.list_(pa.int64())
SCHEMA = pa.schema(
    {
        "question": pa.string(),
        "context": pa.string(),
        "answers": ANSWERS,
        "starts": STARTS,
        "answer": pa.string(),
        "span": pa.struct({"text": ANSWERS, "answer_start": STARTS}),
        "title": pa.string(),
        "id": pa.string(),
    }
)


class SquadSource(FileSource):
    """Questions of SQuAD (Rajpurkar et al. 2016, 2018), and of others in its form.

    Args:
        options: The options.
    """

    name = "squad"

    def __init__(self, options: SquadOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`."""
        file = existing(path)
        return [part_of_rows(file, list(_rows(file, document(file))), SCHEMA)]


def _rows(file: Path, content: Any) -> Iterator[dict[str, Any]]:
    for where, article in members(file, content, "data"):
        title = article.get("title") if isinstance(article, dict) else None
        for place, paragraph in members(file, article, "paragraphs", where):
            context = member(file, paragraph, "context", str, place)
            for at, question in members(file, paragraph, "qas", place):
                texts, starts = _answers(file, question, context, at)
                yield {
                    "question": member(file, question, "question", str, at).strip(),
                    "context": context,
                    "answers": texts,
                    "starts": starts,
                    "answer": texts[0] if texts else "",
                    "span": {"text": texts, "answer_start": starts},
                    "title": title,
                    "id": str(question.get("id", "")),
                }


def _answers(file: Path, question: Any, context: str, where: str) -> tuple[list[str], list[int]]:
    """Return the answers, and where each begins in the context."""
    texts, starts = [], []
    if isinstance(question, dict) and question.get("is_impossible"):
        if question.get("answers"):
            raise DataError(f"`{file}` {where} has answers, and `is_impossible` says that there is none.")
        return [], []
    for at, answer in members(file, question, "answers", where):
        text, start = member(file, answer, "text", str, at), member(file, answer, "answer_start", int, at)
        if not 0 <= start <= len(context) - len(text) or context[start : start + len(text)] != text:
            raise DataError(f"`{file}` {at}: {quoted(text)} does not stand at the character {start} of its context.")
        texts.append(text)
        starts.append(start)
    return texts, starts
