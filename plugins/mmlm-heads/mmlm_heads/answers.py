"""Answers out of a text: what a data source may give as a target, where they stand, and how SQuAD measures them."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmlm_core.errors import DataError, quoted

__all__ = ["Answer", "answer_metrics", "answers_of", "place_of"]

SHOWN = 60
"""Characters of a text that a message shows."""


@dataclass(frozen=True)
class Answer:
    """One acceptable answer.

    Attributes:
        text: As it stands in the context.
        start: Where, in characters; None: where it stands first.
    """

    text: str
    start: int | None = None


def answers_of(target: Any) -> list[Answer]:
    """Return the acceptable answers of a target; none where the question has no answer.

    Args:
        target: A text, or a list of texts; or, as in SQuAD, a mapping of `text` and `answer_start`, each one or a list.
            An empty text or list is no answer.

    Raises:
        DataError: It is none of these.
    """
    texts, starts = target, None
    if isinstance(target, Mapping):
        texts, starts = target.get("text"), target.get("answer_start")
    listed = list(texts) if isinstance(texts, list | tuple) else [texts]
    places = list(starts) if isinstance(starts, list | tuple) else [starts] * len(listed)
    right = all(isinstance(text, str) for text in listed) and len(places) == len(listed)
    if not right or not all(place is None or isinstance(place, int) for place in places):
        raise DataError("The target must be an answer (a text, a list of texts, or a mapping of `text` and "
                        f"`answer_start`; empty: there is none), not {quoted(target)}.")  # fmt: skip
    pairs = zip(listed, places, strict=True)
    return [Answer(text, place) for text, place in pairs if text.strip()]


def place_of(answer: Answer, context: str) -> tuple[int, int]:
    """Return where an answer begins and ends in its context, in characters.

    Raises:
        DataError: It does not stand there.
    """
    start = context.find(answer.text) if answer.start is None else answer.start
    if start >= 0 and context[start : start + len(answer.text)] == answer.text:
        return start, start + len(answer.text)
    found = context.find(answer.text)
    if found >= 0:
        raise DataError(f"The answer `{answer.text}` does not stand at {answer.start} in its context, where "
                        f"`{context[max(start, 0) :][: len(answer.text)]}` is; it stands at {found}.")  # fmt: skip
    shown = context if len(context) <= SHOWN else f"{context[:SHOWN]}..."
    near = context.lower().find(answer.text.lower())
    hint = f" Did you mean `{context[near : near + len(answer.text)]}`?" if near >= 0 else ""
    raise DataError(f"The answer `{answer.text}` is not in its context, `{shown}`.{hint}")


def answer_metrics(given: Sequence[str], wanted: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return `exact_match` and `f1` as SQuAD's official script does (Rajpurkar et al. 2016, 2018), from 0 to 1.

    Texts are compared in lower case, without punctuation and English articles, by words between spaces; of several
    acceptable answers the nearest counts. Where some questions have no answer, also `answered_f1` and
    `unanswered_accuracy`, over those that have one and those that have not.

    Args:
        given: The predicted answers; empty: none.
        wanted: The acceptable ones of each row; none: the question has no answer.
    """
    exact = [max(float(_words(one) == _words(other)) for other in all_of or [""])
             for one, all_of in zip(given, wanted, strict=True)]  # fmt: skip
    f1 = [max(_f1(one, other) for other in all_of or [""]) for one, all_of in zip(given, wanted, strict=True)]
    measured = {"exact_match": sum(exact) / len(exact), "f1": sum(f1) / len(f1)}
    answered = [score for score, all_of in zip(f1, wanted, strict=True) if all_of]
    unanswered = [score for score, all_of in zip(f1, wanted, strict=True) if not all_of]
    if answered and unanswered:
        measured |= {"answered_f1": sum(answered) / len(answered),
                     "unanswered_accuracy": sum(unanswered) / len(unanswered)}  # fmt: skip
    return measured


def _words(text: str) -> list[str]:
    kept = "".join(character for character in text.lower() if character not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", kept).split()


def _f1(one: str, other: str) -> float:
    ours, theirs = _words(one), _words(other)
    if not ours or not theirs:  # without an answer: right or wrong
        return float(ours == theirs)
    same = (Counter(ours) & Counter(theirs)).total()
    return 2 * same / (len(ours) + len(theirs))
