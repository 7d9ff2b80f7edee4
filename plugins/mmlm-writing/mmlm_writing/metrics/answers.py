"""Metrics of answers: SQuAD's exact match and F1, and the accuracy of visual question answering."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

from mmlm_writing.metrics.agreement import bag_f1, mean
from mmlm_writing.metrics.words import is_cjk

__all__ = ["answer_words", "squad_exact_match", "squad_f1", "vqa_accuracy", "vqa_answer"]

AGREEING = 3
"""People who must have given an answer for it to be right."""

CJK_SIGNS = "。，、；：？！（）《》〈〉「」『』【】“”‘’…—·"
SQUAD_SIGNS = frozenset(string.punctuation + CJK_SIGNS)
VQA_SIGNS = frozenset(';/[]"{}()=+\\_-><@`,?!' + CJK_SIGNS)
"""The signs that either script drops, and those of Chinese and Japanese."""

NUMBERS = {
    "none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10",
}  # fmt: skip

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def squad_exact_match(answers: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the share of answers that equal one of their references, by their `answer_words`."""
    rows = zip(answers, references, strict=True)
    return mean([any(answer_words(answer) == answer_words(one) for one in several) for answer, several in rows])


def squad_f1(answers: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the mean over rows of the F1 between an answer's words and those of its nearest reference."""
    rows = zip(answers, references, strict=True)
    return mean([max(_f1(answer_words(answer), answer_words(one)) for one in several) for answer, several in rows])


def answer_words(text: str) -> list[str]:
    """Return the words of an answer as SQuAD's script compares them (Rajpurkar et al. 2016).

    Case, punctuation and English articles do not count. A Chinese character or a Japanese kana is a word by itself.

    Example:
        >>> answer_words("The Don't-Panic, 猫脸!")
        ['dontpanic', '猫', '脸']
    """
    bare = "".join(character for character in text.lower() if character not in SQUAD_SIGNS)
    apart = "".join(f" {character} " if is_cjk(character) else character for character in _ARTICLES.sub(" ", bare))
    return apart.split()


def vqa_accuracy(answers: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the accuracy of visual question answering, from 0 to 1 (Antol et al. 2015).

    An answer is right by a third for each person who gave it, up to three; the mean is taken over all choices of people
    with one left out. Answers are compared as `vqa_answer` writes them, where people differ at all.

    Args:
        answers: One a row.
        references: The answers that people gave to each row's question, more than three of them.
    """
    return mean([_agreed(answer, several) for answer, several in zip(answers, references, strict=True)])


def vqa_answer(text: str) -> str:
    """Return an answer as the script of visual question answering compares it.

    Case, articles, punctuation and apostrophes do not count, and number words up to ten are numbers. (The script itself
    restores missing apostrophes from a list.)

    Example:
        >>> vqa_answer("The two dogs, I don't know.")
        '2 dogs i dont know'
    """
    text = re.sub(r"(?<=\d),(?=\d)", "", text.lower().replace("'", ""))
    text = re.sub(r"\.(?!\d)", "", text)
    text = "".join(" " if character in VQA_SIGNS else character for character in text)
    return " ".join(NUMBERS.get(word, word) for word in text.split() if word not in ("a", "an", "the"))


def _agreed(answer: str, people: Sequence[str]) -> float:
    if len(set(people)) > 1:
        answer, people = vqa_answer(answer), [vqa_answer(one) for one in people]
    same = [one.strip() == answer.strip() for one in people]
    return mean([min(1.0, (sum(same) - one) / AGREEING) for one in same])


def _f1(given: Sequence[str], wanted: Sequence[str]) -> float:
    return bag_f1(given, wanted) if given or wanted else 1.0  # as where both are an article alone
