"""Grammars and JSON schemas that a text keeps to, by llguidance, as constraints of a generation."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmlm_core.errors import OptionError
from mmlm_core.interfaces import Constraint, Tokenizer

__all__ = ["Grammar", "read_grammar", "read_schema"]

COMPACT = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}
"""How JSON is written: without spaces between its parts, as targets are."""


class Grammar:
    """A grammar over the tokens of a vocabulary. Picklable: what llguidance makes of it is made where it is used.

    A text is followed byte by byte, so that tokens may begin and end anywhere in the grammar's own.

    Args:
        schema: A JSON schema; or None.
        lark: A grammar in llguidance's dialect of Lark's notation, where there is no schema.
        tokenizer: Of the texts.
        vocabulary: V of the output layer, which may be larger than the tokenizer's.
    """

    def __init__(self, schema: str | None, lark: str | None, tokenizer: Tokenizer, vocabulary: int) -> None:
        self._schema, self._lark = schema, lark
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary

    def begin(self) -> Constraint:
        """Return the constraint of a text's first token."""
        return _Place(self, self._matcher, begins=True)

    def accepts(self, text: str) -> bool:
        """Return whether a whole text keeps to the grammar."""
        matcher = self._matcher.deep_copy()
        return bool(matcher.consume_tokens(_spelled(text.encode()))) and bool(matcher.is_accepting())

    def allowed(self, matcher: Any, begins: bool) -> Tensor:
        """Return which tokens may follow; only the end token where none may that the vocabulary has. Shape: [V]."""
        alphabet = self._later
        if begins and self._first.pieces != self._later.pieces:
            alphabet, matcher = self._first, _matcher(self._first.library, self._compiled)
        spelled = torch.frombuffer(bytearray(matcher.compute_logit_bias()), dtype=torch.uint8).bool()
        mask = torch.zeros(self._vocabulary, dtype=torch.bool)
        mask[: len(alphabet.index)] = spelled[alphabet.index.clamp(min=0)] & (alphabet.index >= 0)
        if not mask.any():
            mask[self._tokenizer.end] = True
        return mask

    def after(self, matcher: Any, token: int, begins: bool) -> Any:
        """Return a matcher behind one more token."""
        following = matcher.deep_copy()
        following.consume_tokens(_spelled((self._first if begins else self._later).pieces[token]))
        return following

    def __getstate__(self) -> dict[str, Any]:
        """Return what the grammar is made of."""
        return {name: self.__dict__[name] for name in ("_schema", "_lark", "_tokenizer", "_vocabulary")}

    @cached_property
    def _first(self) -> _Alphabet:
        return _Alphabet(self._tokenizer.pieces(begins=True), self._tokenizer.end)

    @cached_property
    def _later(self) -> _Alphabet:
        return _Alphabet(self._tokenizer.pieces(), self._tokenizer.end)

    @cached_property
    def _compiled(self) -> str:
        return _source(self._schema, self._lark)

    @cached_property
    def _matcher(self) -> Any:
        return _matcher(self._later.library, self._compiled)


class _Place(Constraint):
    """A place in a grammar; rows that come to the same one from the same beginning share it, and its mask."""

    def __init__(self, grammar: Grammar, matcher: Any, begins: bool = False) -> None:
        self._grammar, self._matcher, self._begins = grammar, matcher, begins
        self._following: dict[int, _Place] = {}

    def allowed(self) -> Tensor:
        """See `Constraint.allowed`."""
        return self._mask

    def after(self, token: int) -> Constraint:
        """See `Constraint.after`."""
        if token not in self._following:
            following = self._grammar.after(self._matcher, token, self._begins)
            self._following[token] = _Place(self._grammar, following)
        return self._following[token]

    @cached_property
    def _mask(self) -> Tensor:
        return self._grammar.allowed(self._matcher, self._begins)


class _Alphabet:
    """The bytes of a vocabulary's tokens as llguidance takes them: each once, and every single byte.

    Args:
        pieces: The bytes of each token.
        end: The end token.

    Attributes:
        pieces: The same.
        index: Where each token's bytes stand among llguidance's; -1 for a token without bytes. Shape: [V].
        library: llguidance's tokenizer, whose first token is the end.
    """

    def __init__(self, pieces: list[bytes], end: int) -> None:
        import llguidance

        self.pieces = pieces
        self.tokens = [b"end", *dict.fromkeys([*(bytes([byte]) for byte in range(256)), *filter(None, pieces)])]
        self.eos_token_id, self.bos_token_id, self.special_token_ids = 0, None, [0]  # as llguidance asks for them
        places = {token: place for place, token in enumerate(self.tokens) if place}
        self.index = torch.tensor([places.get(piece, -1) for piece in pieces])
        self.index[end] = 0
        self.library = llguidance.LLTokenizer(llguidance.TokenizerWrapper(self), eos_token=0)

    def __call__(self, text: bytes | str) -> list[int]:
        """Return the ids of a text, as llguidance asks for them."""
        return _spelled(text.encode() if isinstance(text, str) else text)


def _spelled(text: bytes) -> list[int]:
    """Return the ids of single bytes in an `_Alphabet`."""
    return [1 + byte for byte in text]


def read_schema(given: str) -> str:
    """Return a JSON schema, given as itself or as the file that holds it.

    Raises:
        OptionError: The file is missing, or it is no schema that a text can be kept to.
    """
    from llguidance import LLMatcher

    text = given if given.lstrip()[:1] == "{" else _content(given, "schema", "a JSON schema")
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise OptionError(f"`schema` does not parse as JSON: {error}.") from None
    if not isinstance(schema, dict):
        raise OptionError(f"`schema` must be a JSON object, not `{text.strip()[:60]}`.")
    _check(LLMatcher.grammar_from_json_schema(text), "schema", "no JSON schema that a text can be kept to")
    return text


def read_grammar(given: str) -> str:
    """Return a grammar, given as itself or as the file that holds it.

    Raises:
        OptionError: The file is missing, or it is no grammar.
    """
    from llguidance import LLMatcher

    text = given if "start:" in given else _content(given, "grammar", "a grammar with a rule `start:`")
    _check(LLMatcher.grammar_from_lark(text), "grammar", "no grammar in the notation of llguidance")
    return text


def _content(path: str, option: str, what: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OptionError(f"`{option}` must be {what}, or name its file; `{path}` is neither: {reason}.") from None


def _source(schema: str | None, lark: str | None) -> str:
    """Return what llguidance reads: a grammar without forcing, which would leave one way alone to cut a text."""
    from llguidance import LLMatcher

    if schema is not None:
        lark = f"start: form\nform: %json {json.dumps({**json.loads(schema), 'x-guidance': COMPACT})}\n"
    return str(LLMatcher.grammar_from_lark('%llguidance {"no_forcing": true}\n' + str(lark)))


def _check(compiled: str, option: str, what: str) -> None:
    from llguidance import LLMatcher

    fault = str(LLMatcher.validate_grammar(compiled)).strip()
    if fault:
        raise OptionError(f"`{option}` is {what}: {fault.splitlines()[0]}.")


def _matcher(library: Any, compiled: str) -> Any:
    from llguidance import LLMatcher

    return LLMatcher(library, compiled, log_level=0)
