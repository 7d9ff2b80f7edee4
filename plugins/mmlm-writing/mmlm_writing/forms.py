"""Structured forms: JSON, or a logical form, as a text that is written and compared."""

from __future__ import annotations

import json
from typing import Any

from mmlm_core.errors import DataError, quoted
from mmlm_core.interfaces import Tokenizer
from mmlm_writing.key_order import in_order
from mmlm_writing.token_targets import TokenTargets

__all__ = ["FormTargets", "json_of", "same_form", "written"]


def written(form: Any, as_json: bool, schema: Any = None) -> str:
    """Return a form as it is learnt: JSON without spaces, its keys in the schema's order; other forms as they are.

    Args:
        form: A text; or, where it is JSON, a value.
        as_json: Whether it is JSON.
        schema: The JSON schema; None: keys stay in their own order.

    Raises:
        DataError: It is no JSON; or no text.
    """
    if not as_json:
        if not isinstance(form, str):
            raise DataError(f"The target must be a text, not {quoted(form)}.")
        return form
    try:
        value = json.loads(form) if isinstance(form, str) else form
        return json.dumps(in_order(value, schema), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"The target must be JSON, not {quoted(form)}: {error}.") from None


def json_of(text: str) -> Any:
    """Return the value of a JSON text, in a list; nothing where it is none."""
    try:
        return [json.loads(text, parse_constant=_refuse)]
    except (ValueError, RecursionError):
        return []


def same_form(text: str, reference: Any, as_json: bool) -> bool:
    """Return whether a text is the form of a reference: the order of JSON's keys does not matter, nor do spaces."""
    if not as_json:
        return text.split() == written(reference, as_json).split()
    return [_sorted(value) for value in json_of(text)] == [_sorted(json.loads(written(reference, as_json)))]


def _refuse(name: str) -> None:
    raise ValueError(f"JSON has no number {name}")


def _sorted(value: Any) -> str:
    return json.dumps(value, sort_keys=True)  # as text, since 1 == True


class FormTargets(TokenTargets):
    """Makes token ids of forms.

    Args:
        tokenizer: Of the forms.
        as_json: Whether they are JSON.
        schema: The JSON schema, as a text; None: there is none.
        max_tokens: Tokens of a form at most.
        truncate: Cut a longer one; else it is refused.
        token_dropout: Share of the tokens that training replaces by `unknown`; never the first.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        as_json: bool,
        schema: str | None,
        max_tokens: int,
        truncate: bool,
        token_dropout: float,
    ) -> None:
        super().__init__(tokenizer, max_tokens=max_tokens, truncate=truncate, token_dropout=token_dropout)
        self._as_json = as_json
        self._schema = None if schema is None else json.loads(schema)

    def texts(self, target: Any) -> list[str]:
        """Return the one text of a form."""
        return [written(target, self._as_json, self._schema)]
