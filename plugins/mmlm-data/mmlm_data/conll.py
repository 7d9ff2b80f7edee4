"""The data source `conll`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from mmlm_core.errors import DataError
from mmlm_data.encodings import text_of, utf8
from mmlm_data.file_source import FileSource
from mmlm_data.language_options import ConllOptions
from mmlm_data.parts import Part, part_of_rows
from mmlm_data.paths import existing, openable

__all__ = ["ConllSource"]

CONLL_U = ("id", "words", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
"""The ten columns of CoNLL-U (https://universaldependencies.org/format.html)."""

NUMBER = re.compile(r"\d+([-.]\d+)?")
"""The number of a word of CoNLL-U, of a range of words (`1-2`), or of an empty one (`2.1`)."""

TAGS = "tags"
"""The name by which the tags are known: those of the column of this name, of `upos`, or of the last."""

DOCUMENT = "-DOCSTART-"

Sentence = list[tuple[int, list[str]]]
"""The cells of each word, with the number of its line."""


class ConllSource(FileSource):
    """Tagged sentences: CoNLL-2000, 2002, 2003, and others with a word a line; Universal Dependencies.

    Args:
        options: The options.
    """

    name = "conll"

    def __init__(self, options: ConllOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`."""
        file = existing(path)
        with openable(file):
            sentences = list(_sentences(file, self.options.encoding))
        if not sentences:
            raise DataError(f"`{file}` has no rows.")
        names = self._names(sentences[0])
        if len(names) == 1 and TAGS in wanted:
            number, cells = sentences[0][0]
            raise DataError(f"`{file}` line {number} has one column, `{cells[0][:60]}`, and `{wanted[TAGS]}` needs two "
                            "at least: a word and its tag, with a tab or spaces between.")  # fmt: skip
        rows = [_row(file, sentence, names) for sentence in sentences]
        lists = {name: pa.list_(pa.string()) for name in [*names, *([TAGS] if len(names) > 1 else [])]}
        return [part_of_rows(file, rows, pa.schema({"text": pa.string(), **lists, "key": pa.string()}), keys="key")]

    def _names(self, sentence: Sentence) -> list[str]:
        """Return the names of the columns."""
        width = len(sentence[0][1])
        if self.options.columns:
            return ["words", *self.options.columns[1:]]
        if width == len(CONLL_U) and NUMBER.fullmatch(sentence[0][1][0]):
            return list(CONLL_U)
        return ["words", *(f"column_{number}" for number in range(2, width + 1))]


def _sentences(file: Path, encoding: str) -> Iterator[Sentence]:
    """Yield the sentences of a file; comments, and marks of documents, are left out."""
    sentence: Sentence = []
    tabs: bool | None = None
    for number, line in enumerate(text_of(utf8(file, encoding)), 1):
        line = line.rstrip("\r\n")
        if not line.strip() or line.startswith(DOCUMENT):
            if sentence:
                yield sentence
            sentence = []
            continue
        if tabs is None and not line.startswith("# "):
            tabs = "\t" in line
        if line.startswith("#") and (tabs or tabs is None) and "\t" not in line:
            continue
        sentence.append((number, line.split("\t") if tabs else line.split()))
    if sentence:
        yield sentence


def _row(file: Path, sentence: Sentence, names: Sequence[str]) -> dict[str, Any]:
    """Return a sentence by columns. Of CoNLL-U, ranges of words and empty ones, which no tag has, are left out."""
    universal = tuple(names) == CONLL_U
    for number, cells in sentence:
        if len(cells) != len(names):
            raise DataError(f"`{file}` line {number} has {len(cells)} columns and must have {len(names)} "
                            f"({', '.join(names)}): `{' '.join(cells)[:60]}`.")  # fmt: skip
    kept = [cells for _, cells in sentence if not universal or cells[0].isdecimal()]
    columns: dict[str, Any] = {name: [cells[place] for cells in kept] for place, name in enumerate(names)}
    columns["words"] = ["_".join(word.split()) for word in columns["words"]]  # a space would make it two
    tags = columns["upos"] if universal else columns.get(TAGS, columns[names[-1]])
    return {**columns, TAGS: tags, "text": " ".join(columns["words"]), "key": f"{file.name}:{sentence[0][0]}"}
