"""What a model gets, as a person can see it: for `mmlm data preview`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["PictureView", "Token", "TokensView", "View", "token_views"]

SPECIAL = ("pad", "begin", "end", "mask", "unknown")


@dataclass(frozen=True)
class PictureView:
    """A picture, or what is drawn of something else, such as a sound's spectrogram.

    Attributes:
        picture: A `PIL.Image.Image`.
        stretches: It may be drawn as wide as there is room, since its sides are not alike (a time, a pitch).
    """

    picture: Any
    stretches: bool = False


@dataclass(frozen=True)
class Token:
    """One token of a text.

    Attributes:
        text: What it stands for; of a special token, its name.
        special: It is one: padding, a begin, an end, an unknown one.
        scored: The loss counts it.
        begins: A text begins here that is packed into the row behind others.
    """

    text: str
    special: bool = False
    scored: bool = False
    begins: bool = False


@dataclass(frozen=True)
class TokensView:
    """A text, cut into its tokens."""

    tokens: Sequence[Token]


View: TypeAlias = PictureView | TokensView


def token_views(
    tokenizer: Any,
    ids: Sequence[Sequence[int]],
    scored: Sequence[Sequence[bool]] | None = None,
    documents: Sequence[Sequence[int]] | None = None,
) -> list[TokensView]:
    """Return texts as their tokens.

    Args:
        tokenizer: A `mmlm_core.interfaces.Tokenizer`.
        ids: Of each text.
        scored: Which of them the loss counts; None: none.
        documents: Which of the texts packed into a row each belongs to; None: there is one a row.
    """
    special = {getattr(tokenizer, name): name for name in SPECIAL if hasattr(tokenizer, name)}
    known: dict[int, str] = {}
    views = []
    for row, text in enumerate(ids):
        tokens = []
        for place, number in enumerate(text):
            if number not in known:
                known[number] = special.get(number) or str(tokenizer.decode([number]))
            counted = scored is not None and bool(scored[row][place])
            begins = documents is not None and place > 0 and documents[row][place] != documents[row][place - 1]
            tokens.append(Token(known[number], number in special, counted, begins))
        views.append(TokensView(tokens))
    return views
