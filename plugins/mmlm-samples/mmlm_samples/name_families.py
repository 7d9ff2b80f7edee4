"""Which names belong together, so that nothing nearly identical stands on both sides of a split."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence

__all__ = ["SERIES", "families", "splits_of"]

SERIES = 60
"""Names from which on a family is trained on: it would fill the test."""
KNOWN = 2
"""Families of training that must have each word of a name that is held out, so that it can be translated at all."""
VALIDATED = 5
"""Of so many families that are held out, one is for validation; the others are for the test."""
LONG = 8
"""Letters from which on a name with one letter more, less or changed is nearly the same."""


def families(names: Sequence[Sequence[str]], kin: Sequence[str]) -> list[tuple[str, int]]:
    """Return the family of each row, as a name that depends on its members alone, and its size.

    Rows are of one family where they are kin (they differ in skin tone, hair, gender or direction only, or are drawn
    alike), or where, in any language, their names

    - are the same before a colon (`family: man, boy`, `keycap: 3`), or but for what is in brackets or quotes;
    - are the same but for digits (`1:30 Uhr`), the order of words, or `man`, `woman` and `person` (`men’s room`);
    - have `LONG` letters or more, and differ in one of them.

    What belongs to one family with a third belongs together.

    Args:
        names: Of each row, in each language.
        kin: Of each row.
    """
    parents = list(range(len(names)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    holders: dict[Hashable, int] = {}
    for place, (said, kinship) in enumerate(zip(names, kin, strict=True)):
        marks = [("kin", kinship), *((language, mark) for language, name in enumerate(said) for mark in _marks(name))]
        for mark in marks:
            parents[root(place)] = root(holders.setdefault(mark, place))
    members: defaultdict[int, list[int]] = defaultdict(list)
    for place in range(len(names)):
        members[root(place)].append(place)
    called = {one: (min(kin[place] for place in places), len(places)) for one, places in members.items()}
    return [called[root(place)] for place in range(len(names))]


def splits_of(names: Sequence[str], family: Sequence[tuple[str, int]]) -> list[str]:
    """Return the split of each row.

    Families are held out in the order of a lot, as many as can be while training keeps each word of theirs, in `KNOWN`
    other families at least: what is asked for is a new phrase of known words. All others are trained on.

    Args:
        names: Of each row, in the language whose words count.
        family: Of each row.
    """
    words: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for name, one in zip(names, family, strict=True):
        words[one].update(_words(name.casefold()).split())
    trained = Counter(word for said in words.values() for word in said)
    held: list[tuple[str, int]] = []
    for one in sorted(words, key=lambda one: hashlib.sha256(f"emoji_names {one[0]}".encode()).digest()):
        if one[1] <= SERIES and all(trained[word] > KNOWN for word in words[one]):
            held.append(one)
            trained.subtract(words[one])
    splits = {one: "validation" if place % VALIDATED == 0 else "test" for place, one in enumerate(held)}
    return [splits.get(one, "train") for one in family]


def _marks(name: str) -> Iterator[tuple[str, str]]:
    """Yield what two names have in common that are nearly the same."""
    name = re.sub(r"\s+", " ", name.casefold())
    yield "stem", _words(re.sub(r"(?<!\d)\s?[:：].*", "", name)) or name  # no colon of a time: 1:30
    yield "unbracketed", _words(re.sub(r"\(.*?\)|（.*?）|[“„«「\"‘].*?[”“»」\"’]", "", name)) or name
    yield "ungendered", re.sub(r"\b(wo)?m[ae]n\b", "person", name)  # the English name will do
    yield "undigited", _words(re.sub(r"\d+", "0", name))
    plain = _words(name)
    if len(plain) >= LONG:
        for place in range(len(plain)):
            yield "but one", f"{place} {plain[:place]}{plain[place + 1 :]}"  # one letter is another
            yield "shorter", plain[:place] + plain[place + 1 :]
        yield "shorter", plain


def _words(text: str) -> str:
    """Return the words in alphabetical order, without signs."""
    return " ".join(sorted(re.findall(r"\w+", text)))
