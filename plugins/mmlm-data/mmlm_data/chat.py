"""The data source `chat`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmlm_core.errors import DataError, did_you_mean, one_of, quoted
from mmlm_data.file_source import FileSource
from mmlm_data.json_files import Field, names_of, objects
from mmlm_data.language_options import ChatOptions
from mmlm_data.parts import Part
from mmlm_data.paths import files_at, openable

__all__ = ["ChatSource", "messages"]

SUFFIXES = (".json", ".jsonl", ".ndjson")

SYSTEM, USER, ASSISTANT = "system", "user", "assistant"

ROLES = {"human": USER, "user": USER, "prompter": USER, "gpt": ASSISTANT, "assistant": ASSISTANT, "bot": ASSISTANT,
         "chatgpt": ASSISTANT, "model": ASSISTANT, "system": SYSTEM}  # fmt: skip
"""What the speakers are called, and what they are."""

FORMS = ("messages", "conversations", "conversation", "instruction")
"""The members by which the forms are told: OpenAI's, ShareGPT's (and LLaVA's) under two names, and Alpaca's."""


class ChatSource(FileSource):
    """Conversations, which all become messages of `system`, `user` and `assistant`.

    Args:
        options: The options.
    """

    name = "chat"

    def __init__(self, options: ChatOptions) -> None:
        super().__init__(options)
        self.options = options

    def parts(self, path: str, wanted: Mapping[str, str]) -> list[Part]:
        """See `FileSource.parts`."""
        return [_part(file, wanted) for file in files_at(path, SUFFIXES)]


def messages(row: Mapping[str, Any], where: str) -> list[dict[str, str]]:
    """Return what is said in a row, as messages of `role` and `content`.

    Args:
        row: Has `messages` (OpenAI), `conversations` (ShareGPT: `from`, `value`), or `instruction`, `input` and
            `output` (Alpaca).
        where: Names the row, for messages.

    Raises:
        DataError: It has none of these, or what stands there are no messages.
    """
    form = next((form for form in FORMS if form in row), None)
    if form is None:
        raise DataError(f"{where} is no conversation: it must have one of {', '.join(f'`{f}`' for f in FORMS)}; it has "
                        f"{', '.join(map(quoted, row)) or 'nothing'}.")  # fmt: skip
    if form == "instruction":
        asked = "\n\n".join(_text(row[name], where, name) for name in ("instruction", "input") if row.get(name))
        said = [(USER, asked), (ASSISTANT, _text(row.get("output"), where, "output"))]
        return [{"role": role, "content": content} for role, content in said]
    if not isinstance(row[form], list) or not row[form]:
        raise DataError(f"{where} must have a list of messages as `{form}`, not {quoted(row[form])}.")
    head = row.get("system")
    told = [{"role": SYSTEM, "content": head}] if isinstance(head, str) and head.strip() else []
    return told + [_message(message, f"{where} {form}[{number}]") for number, message in enumerate(row[form])]


def _message(message: Any, where: str) -> dict[str, str]:
    if not isinstance(message, dict):
        raise DataError(f"{where} must be an object with `role` and `content`, not {quoted(message)}.")
    role = message.get("role", message.get("from"))
    if not isinstance(role, str) or role not in ROLES:
        raise DataError(f"{where} is said by {quoted(role)}, which is no role.{did_you_mean(str(role), ROLES)}"
                        f"{one_of(list(ROLES))}")  # fmt: skip
    content = message.get("content", message.get("value"))
    if isinstance(content, list):  # OpenAI's parts; a picture among them has a column of its own
        content = "".join(_part_text(part, f"{where} content[{number}]") for number, part in enumerate(content))
    return {"role": ROLES[role], "content": _text(content, where, "content")}


def _part_text(part: Any, where: str) -> str:
    """Return the text of a part of a message; of a picture, nothing."""
    if not isinstance(part, dict):
        raise DataError(f"{where} must be an object, not {quoted(part)}.")
    return _text(part["text"], where, "text") if "text" in part else ""


def _text(value: Any, where: str, name: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"{where} must have a text as `{name}`, not {quoted(value)}.")
    return value


def _part(file: Path, wanted: Mapping[str, str]) -> Part:
    with openable(file):
        rows = objects(file, "utf-8")
    said = _Said(file, rows)
    columns: dict[str, Sequence[Any]] = {
        "messages": said,
        "question": _Last(said, USER),
        "answer": _Last(said, ASSISTANT),
    }
    others = {name: option for name, option in wanted.items() if name not in columns}
    known = names_of(rows, others) if others else []
    return Part(file, {name: Field(rows, name) for name in known} | columns, len(rows), file.parent)


@dataclass(frozen=True)
class _Said(Sequence[Any]):
    """The messages of each row."""

    file: Path
    rows: Sequence[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: Any) -> Any:
        return messages(self.rows[place], f"`{self.file}` row {place + 1}")


@dataclass(frozen=True)
class _Last(Sequence[Any]):
    """The last message of a role in each row; None where there is none."""

    said: _Said
    role: str

    def __len__(self) -> int:
        return len(self.said)

    def __getitem__(self, place: Any) -> Any:
        texts = [message["content"] for message in self.said[place] if message["role"] == self.role]
        return texts[-1] if texts else None
