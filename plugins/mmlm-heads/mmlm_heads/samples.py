"""Targets that are no texts, to try the heads on, for the contracts."""

from __future__ import annotations

from typing import Any

__all__ = ["answers", "numbers", "tags", "transcripts"]


def tags() -> list[Any]:
    """Return the tags of three texts of one word."""
    return [["B-x"], ["O"], ["B-y"]]


def answers() -> list[Any]:
    """Return an answer, none, and one with its place, as SQuAD has them."""
    return ["x", [], {"text": ["x"], "answer_start": [0]}]


def numbers() -> list[Any]:
    """Return numbers, one of them as a table's cell."""
    return [1, 2.5, "4"]


def transcripts() -> list[Any]:
    """Return transcripts that are as long as their inputs at most."""
    return ["ab", "c", "aa"]
