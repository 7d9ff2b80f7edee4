"""Which tokens of a text are pieces of one word."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

__all__ = ["word_numbers"]


def word_numbers(text: str, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """Return the number of the word that each token belongs to, from 0.

    A token goes on with the word of the one before it where no space is between them and letters or digits meet, or
    where both are bytes of one character. A Chinese character or a Japanese kana is a word by itself.

    Args:
        text: The text.
        offsets: Where each token begins and ends in it; a token may take in the space before it.

    Example:
        >>> word_numbers("unhappy cat!", [(0, 2), (2, 7), (7, 11), (11, 12)])
        [0, 0, 1, 2]
    """
    numbers: list[int] = []
    before = 0
    for begin, end in offsets:
        meets = begin == before and 0 < begin < len(text) and _joins(text[begin - 1]) and _joins(text[begin])
        goes_on = bool(numbers) and (begin < before or meets)
        numbers.append((numbers[-1] if numbers else -1) + (not goes_on))
        before = end
    return numbers


def _joins(character: str) -> bool:
    """Return whether a character is part of words that are longer."""
    kind = unicodedata.category(character)
    return kind[0] in "LMN" and not _is_cjk(character)


def _is_cjk(character: str) -> bool:
    return (
        "\u3041" <= character <= "\u9fff"
        or "\uf900" <= character <= "\ufaff"
        or "\uff66" <= character <= "\uff9f"
        or "\U00020000" <= character <= "\U000323af"
    )
