"""The processor that makes token ids of conversations."""

from __future__ import annotations

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Tokenizer
from mmlm_core.targets import IGNORED
from mmlm_core.types import Example
from mmlm_writing.conversations import Message, conversation
from mmlm_writing.options import ASSISTANT, ROLES
from mmlm_writing.token_targets import TokenSequence, TokenTargets

__all__ = ["ChatTargets"]


class ChatTargets(TokenTargets):
    """Makes token ids and labels of conversations, of which the assistant's messages alone are scored.

    The sequence is `begin`, and for each message the token of its role, its text, and `end`. Roles are special tokens,
    so that nobody can speak in another's name by what they write.

    Args:
        tokenizer: Of the texts; it has the roles as special tokens.
        max_tokens: Tokens of a conversation at most.
        truncate: Cut a longer one; else it is refused.
        token_dropout: Share of the tokens that training replaces by `unknown`; never the first.
    """

    def __init__(self, tokenizer: Tokenizer, *, max_tokens: int, truncate: bool, token_dropout: float) -> None:
        super().__init__(tokenizer, max_tokens=max_tokens, truncate=truncate, token_dropout=token_dropout)
        self._marks = {role: tokenizer.special(role) for role in ROLES}

    def prompt(self, example: Example) -> list[int]:
        """Return the ids of what is said before the last answer, and the mark that it is the assistant's turn."""
        said = conversation(example)
        before = said if example.target is None else said[:-1]
        return [self.tokenizer.begin, *self._ids(before), self._marks[ASSISTANT]]

    def sequences(self, example: Example, prompt: list[int]) -> list[TokenSequence]:
        """Return the one sequence of a conversation."""
        del prompt
        said = conversation(example)
        scored = [False]
        for message in said:
            scored += [False, *[message.role == ASSISTANT] * (len(self._ids([message])) - 1)]
        ids = self.fitting([self.tokenizer.begin, *self._ids(said)], "The dialogue")
        labels = [token if counts else IGNORED for token, counts in zip(ids[1:], scored[1:], strict=False)]
        if all(label == IGNORED for label in labels):
            raise DataError("The dialogue has no answer within its first `head.max_tokens` tokens: raise that.")
        return [TokenSequence(ids[:-1], labels, len(said[-1].content))]

    def _ids(self, said: list[Message]) -> list[int]:
        return [
            token
            for message in said
            for token in (self._marks[message.role], *self.tokenizer.encode(message.content), self.tokenizer.end)
        ]
