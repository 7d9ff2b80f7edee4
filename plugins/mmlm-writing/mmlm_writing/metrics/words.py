"""Words of any language, for metrics: one documented rule instead of one tokenizer a language."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import groupby

__all__ = ["is_cjk", "is_kana", "words"]


def words(text: str) -> list[str]:
    """Return the words of a text, in lower case.

    A run of letters, digits and their combining marks is a word; a Chinese character or a Japanese kana is a word by
    itself, and so is every sign that is neither; spaces only separate.

    Example:
        >>> words("Don't panic: 我爱 cats!")
        ['don', "'", 't', 'panic', ':', '我', '爱', 'cats', '!']
    """
    found: list[str] = []
    for kind, run in groupby(text.lower(), _kind):
        if kind == "letters":
            found.append("".join(run))
        elif kind == "single":
            found.extend(run)
    return found


@lru_cache(maxsize=2**14)
def is_cjk(character: str) -> bool:
    """Return whether a character is Chinese (Han) or a Japanese kana."""
    return "\u3400" <= character <= "\u9fff" or character in "々〆〇" or is_kana(character) or (
        "\uf900" <= character <= "\ufaff" or "\U00020000" <= character <= "\U000323af"
    )  # fmt: skip


def is_kana(character: str) -> bool:
    """Return whether a character is a Japanese kana, of full or of half width."""
    return "\u3041" <= character <= "\u30ff" or "\uff66" <= character <= "\uff9f"


@lru_cache(maxsize=2**14)
def _kind(character: str) -> str:
    if character.isspace():
        return "space"
    letter = character.isalnum() or unicodedata.category(character).startswith("M")
    return "letters" if letter and not is_cjk(character) else "single"
