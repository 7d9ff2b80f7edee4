"""What a generation gives for a row."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Generated"]


@dataclass(frozen=True)
class Generated:
    """One row's generated tokens.

    Attributes:
        ids: The tokens, without the prompt and without the end token; those of a stop string are among them.
        score: Log-probability of the tokens (the end token too) / number of them ** the length penalty.
        ended: Whether the model ended it, by the end token or a stop string, or `max_tokens` did.
        others: The row's other texts, best first, where `n_best` asks for more than one.
    """

    ids: list[int]
    score: float
    ended: bool
    others: tuple[Generated, ...] = ()
