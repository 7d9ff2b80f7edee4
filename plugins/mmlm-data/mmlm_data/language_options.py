"""The options of texts: plain files, SQuAD, CoNLL, parallel text, chat. Imports neither torch nor pyarrow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

from mmlm_core.errors import OptionError
from mmlm_core.options import check_choices
from mmlm_core.ranges import check_range
from mmlm_data.guessing import guess
from mmlm_data.options import FileOptions, check_encoding

__all__ = ["ChatOptions", "ConllOptions", "ParallelOptions", "SquadOptions", "TextOptions", "Unit"]


class Unit(Enum):
    """What of a text is a row."""

    line = "line"
    paragraph = "paragraph"
    document = "document"


@dataclass
class TextOptions(FileOptions):
    """Plain text: files, folders of them and patterns; by line, by paragraph, or a file a row."""

    own_columns: ClassVar[tuple[str, ...]] = ("text", "file", "folder", "split")

    path: str | None = None
    """The file, the folder, or a pattern, as `books/*.txt`. Folders `train`, `validation` (or valid, val, dev) and
    `test` in it are the splits."""
    unit: Unit = Unit.paragraph
    """What is a row: line, paragraph (lines between blank ones), or document (a whole file)."""
    suffixes: list[str] = field(default_factory=lambda: [".txt", ".md", ".text"])
    """The endings of the files that a folder is searched for."""
    encoding: str = "utf-8"
    """The encoding: utf-8, utf-16, gb18030, latin-1, ..."""
    inputs: dict[str, Any] = field(default_factory=dict)
    """The column of each modality, as `text: text`. Columns: `text`, `folder` (the file's), `file`."""
    target: str | None = "text"
    """The column that the model is to learn to say; `folder`, where folders are classes."""

    def __post_init__(self) -> None:
        """Check the words and the encoding too."""
        check_choices(self)
        check_encoding(self.encoding)
        super().__post_init__()


@dataclass
class SquadOptions(FileOptions):
    """SQuAD 1.1 and 2.0: a row a question, with the paragraph that answers it."""

    target_words: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "span": ("target:answers",),
        "answers": ("target", "target:answers"),
        "answer": ("target", "target:answers"),
    }

    own_columns: ClassVar[tuple[str, ...]] = (
        "question",
        "context",
        "answers",
        "starts",
        "answer",
        "span",
        "title",
        "id",
    )

    path: str | None = None
    """The JSON file, as `train-v2.0.json`."""
    inputs: dict[str, Any] = field(default_factory=lambda: {"text": ["question", "context"]})
    """The column of each modality. Columns: `question`, `context`, `answers` (texts; none where there is no answer),
    `starts` (the character in the context at which each begins), `answer` (the first, or empty), `span` (the answers as
    `{text, answer_start}`), `title`, `id`."""
    target: str | None = "span"
    """The column that the model is to learn to say."""


@dataclass
class ConllOptions(FileOptions):
    """Tagged words: CoNLL column files and CoNLL-U; a row a sentence."""

    target_words: ClassVar[Mapping[str, tuple[str, ...]]] = {"text": ("target",)}
    other_words: ClassVar[tuple[str, ...]] = ("target:tags",)

    path: str | None = None
    """The file: a word a line, columns divided by tabs or spaces, sentences by blank lines."""
    columns: list[str] | None = None
    """Names of all columns, the first being that of the words, which is `words`; without them, those of CoNLL-U where
    the file is such, else `column_2` and so on."""
    encoding: str = "utf-8"
    """The encoding: utf-8, latin-1 (CoNLL-2002), ..."""
    inputs: dict[str, Any] = field(default_factory=lambda: {"text": "text"})
    """The column of each modality. Columns: `text` (the words with spaces between), `words`, and the file's own; `tags`
    is its last, or `upos` of CoNLL-U."""
    target: str | None = "tags"
    """The column that the model is to learn to say: a list of tags."""

    def __post_init__(self) -> None:
        """Check the encoding and the columns too."""
        check_encoding(self.encoding)
        if self.columns is not None:
            twice = next((name for name in self.columns if self.columns.count(name) > 1), None)
            if not self.columns or twice is not None or {"text", "key"} & {*self.columns[1:]}:
                raise OptionError(
                    "`columns` must name the column of the words and then each of the others, once, and not `text` or "
                    f"`key`, as `[words,pos,ner]`; not `[{','.join(self.columns)}]`."
                )
        super().__post_init__()


@dataclass
class ParallelOptions(FileOptions):
    """Parallel text: two files whose lines are translations of each other, a TSV, or a gettext `.po`."""

    own_columns: ClassVar[tuple[str, ...]] = ("source", "target")

    path: str | None = None
    """The file: of the source's lines, where `to` says the other's ending; a `.po`; else a TSV without a header."""
    to: str | None = None
    """The ending of the file of translations, as `de` for `train.de` beside `train.en`."""
    source_cell: int = 0
    """The cell of a TSV's line that is translated, from 0."""
    target_cell: int = 1
    """The cell of a TSV's line that is the translation."""
    encoding: str = "utf-8"
    """The encoding of text files: utf-8, utf-16, gb18030, latin-1, ..."""
    inputs: dict[str, Any] = field(default_factory=lambda: {"text": "source"})
    """The column of each modality. Columns: `source`, `target`."""
    target: str | None = "target"
    """The column that the model is to learn to say."""

    def __post_init__(self) -> None:
        """Check the cells and the encoding too."""
        check_range(self, "source_cell", 0)
        check_range(self, "target_cell", 0)
        check_encoding(self.encoding)
        if self.source_cell == self.target_cell:
            raise OptionError(f"`source_cell` and `target_cell` must differ, not both be {self.source_cell}.")
        super().__post_init__()


@dataclass
class ChatOptions(FileOptions):
    """Conversations as `messages` of `role` and `content`, or in the forms of ShareGPT and Alpaca."""

    target_words: ClassVar[Mapping[str, tuple[str, ...]]] = {"messages": ("target:messages", "messages")}

    path: str | None = None
    """The file of JSON lines or a JSON list; or a folder or a pattern of them."""
    inputs: dict[str, Any] = field(default_factory=dict)
    """The column of each modality, as `image: image`; without any, that of pictures or sound where there is one.
    Columns: `messages`, `question` (the user's last message), `answer` (what the assistant says to it), and whatever
    else the rows have."""
    target: str | None = "messages"
    """The column that the model is to learn to say; of `messages`, `head=dialogue` scores what the assistant says."""

    def first_row(self) -> Mapping[str, Any]:
        """See `FileOptions.first_row`."""
        from mmlm_data.json_files import first_object
        from mmlm_data.paths import files_at, openable

        file = files_at(self.path or "", (".json", ".jsonl", ".ndjson"))[0]
        with openable(file):
            row = first_object(file, "utf-8")
        inputs, _ = guess(row)
        return {name: row[name] for modality, name in inputs.items() if modality != "text"}
