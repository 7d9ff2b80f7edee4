"""Conversations: messages of a user and an assistant in turns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mmlm_core.errors import DataError, did_you_mean, one_of, quoted
from mmlm_core.types import Example
from mmlm_writing.options import ASSISTANT, ROLES, SYSTEM, USER

__all__ = ["Message", "answer_of", "conversation"]


class Message(NamedTuple):
    """What somebody says."""

    role: str
    content: str


def conversation(example: Example) -> list[Message]:
    """Return all that is said in a row: its prompt, and its target behind it.

    A prompt that is a text is the user's message, and a target that is a text the assistant's; either may be a list of
    messages, `{"role": "user", "content": "..."}`. Where the target is a text and there is no prompt, the assistant
    answers what the other inputs say.

    Raises:
        DataError: What is given are no messages, a role is unknown, a message is blank, they do not alternate, or the
            assistant does not have the last word of the target, or the user that of a prompt without a target.
    """
    said = _messages(example.prompt, USER, "The prompt") if example.prompt is not None else []
    if example.target is not None:
        said = said + _messages(example.target, ASSISTANT, "The target")
    if not said or (said[0].role == ASSISTANT and example.prompt is None and isinstance(example.target, str)):
        return said
    _check_turns(said)
    last = USER if example.target is None else ASSISTANT
    if said[-1].role != last:
        what = "to answer" if example.target is None else "to learn from"
        raise DataError(f"A dialogue {what} must end with a message of `{last}`, not of `{said[-1].role}`.")
    return said


def answer_of(target: Any) -> str:
    """Return the last thing that is said in a target: the answer that a generated one is compared with."""
    return _messages(target, ASSISTANT, "The target")[-1].content


def _messages(given: Any, role: str, named: str) -> list[Message]:
    """Return messages; a text is one of this role."""
    listed = [{"role": role, "content": given}] if isinstance(given, str) else given
    if not isinstance(listed, list | tuple) or not listed:
        raise DataError(
            f"{named} must be a text or a list of messages, each with `role` and `content`, not {quoted(given)}."
        )
    return [_message(each, number, named) for number, each in enumerate(listed, 1)]


def _message(given: Any, number: int, named: str) -> Message:
    if not isinstance(given, Mapping) or not {"role", "content"} <= given.keys():
        raise DataError(f"{named}: message {number} must have `role` and `content`, and is {quoted(given)}.")
    role, content = given["role"], given["content"]
    if role not in ROLES:
        near = did_you_mean(str(role), ROLES)
        raise DataError(f"{named}: message {number} is of `{role}`, which is no role.{near}{one_of(ROLES)}")
    if not isinstance(content, str) or not content.strip():
        raise DataError(
            f"{named}: the content of message {number} must be a text that is not blank, not {quoted(content)}."
        )
    return Message(role, content)


def _check_turns(said: list[Message]) -> None:
    first = 1 if said[0].role == SYSTEM else 0
    for place, message in enumerate(said[first:]):
        turn = (USER, ASSISTANT)[place % 2]
        if message.role != turn:
            raise DataError(
                f"Message {first + place + 1} of a dialogue must be of `{turn}`, not of `{message.role}`: `{USER}` and "
                f"`{ASSISTANT}` take turns, after a first message of `{SYSTEM}`, which may be left out."
            )
