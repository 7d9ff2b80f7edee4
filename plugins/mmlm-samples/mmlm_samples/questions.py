"""Questions about emoji by kind, each with its answer, balanced so that nothing is gained by not looking."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from mmlm_samples.colours import PLAIN, SHOWN, Floats, shares

__all__ = ["KINDS_OF_QUESTION", "Drawing", "Drawings", "Question"]

MOSTLY = 0.6
"""Share of what is drawn from which on a picture is mostly of a colour."""
CLEARLY = 0.2
"""Share of what is drawn from which on a picture shows a colour; it does not where no pixel may have it."""


@dataclass(frozen=True)
class Drawing:
    """A picture, with what is known of it.

    Attributes:
        number: Its row in the embedded file, from 0.
        picture: PNG.
        family: Whose design.
        name: In English.
        group: By Unicode's key, as `people-body`.
        tone: `none`, `light`, `medium`, `dark`.
        kin: One name for concepts that are drawn alike, or differ only in gender or direction.
    """

    number: int
    picture: bytes
    family: str
    name: str
    group: str
    tone: str
    kin: str


class Drawings(list[Drawing]):
    """Drawings, whose colours are measured once, and only if a kind of question asks for them."""

    @cached_property
    def shares(self) -> tuple[Floats, Floats]:
        """The shares of each colour. See `mmlm_samples.colours.shares`."""
        return shares([each.picture for each in self])


@dataclass(frozen=True)
class Question:
    """A question about a drawing, and its answer."""

    drawing: Drawing
    text: str
    answer: str


def _draw(*words: object) -> int:
    """Return a number that depends on nothing but the words."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, words)).encode()).digest()[:8], "big")


def _shuffled(drawings: Iterable[Drawing], *words: object) -> list[Drawing]:
    return sorted(drawings, key=lambda drawing: _draw(drawing.number, *words))


def _one_of(templates: Sequence[str], *words: object) -> str:
    return templates[_draw("template", *words) % len(templates)]


def _evened(answers: dict[str, list[Drawing]], kind: str, most: int) -> list[tuple[str, Drawing]]:
    """Return each answer's drawings: of none more than `most` times as many as of the rarest."""
    room = most * min(map(len, answers.values()), default=0)
    return [(answer, each) for answer in answers for each in _shuffled(answers[answer], kind)[:room]]


def _name(drawings: Drawings) -> list[Question]:
    templates = ("what is it called?", "what is this?", "what does the picture show?")
    return [Question(each, _one_of(templates, each.number), each.name) for each in drawings]


def _is_name(drawings: Drawings) -> list[Question]:
    """Ask of two drawings of one design and group for the names of both: each question has one yes and one no."""
    templates = ("is it called {}?", "is this {}?", "does the picture show {}?")
    shelves: defaultdict[tuple[str, str], list[Drawing]] = defaultdict(list)
    for each in drawings:
        shelves[each.family, each.group].append(each)
    asked = []
    for shelf in shelves.values():
        waiting: list[Drawing] = []
        for each in _shuffled(shelf, "is_name")[: (len(shelf) + 1) // 2]:
            other = next((one for one in waiting if one.kin != each.kin and one.name != each.name), None)
            if other is None:
                waiting.append(each)
                continue
            waiting.remove(other)
            for named in (each, other):
                text = _one_of(templates, named.number, "is_name").format(named.name)
                asked += [Question(shown, text, "yes" if shown is named else "no") for shown in (each, other)]
    return asked


def _group(drawings: Drawings) -> list[Question]:
    """Ask for the group; of each design every group is asked for equally often."""
    templates = ("which group is it in?", "what kind of thing is it?")
    asked = []
    for family in sorted({each.family for each in drawings}):
        groups: dict[str, list[Drawing]] = {}
        for each in drawings:
            if each.family == family and each.group != "component":
                groups.setdefault(each.group.replace("-", " and "), []).append(each)
        asked += [Question(each, _one_of(templates, each.number), group) for group, each in _evened(groups, "group", 1)]
    return asked


def _tone(drawings: Drawings) -> list[Question]:
    """Ask for the skin's tone where there is one; every tone is asked for equally often."""
    templates = ("which skin tone is it?", "how dark is the skin?")
    tones: dict[str, list[Drawing]] = {}
    for each in drawings:
        if each.tone != "none" and each.group != "component":
            tones.setdefault(each.tone, []).append(each)
    return [Question(each, _one_of(templates, each.number), tone) for tone, each in _evened(tones, "tone", 1)]


def _colour(drawings: Drawings) -> list[Question]:
    """Ask for the colour of most of it, where that is beyond doubt; none is twice as frequent as another, or more."""
    templates = ("which colour is most of it?", "what is its main colour?")
    sure, _ = drawings.shares
    colours: dict[str, list[Drawing]] = {}
    for each, share in zip(drawings, sure, strict=True):
        if each.tone == "none" and share.max() >= MOSTLY:
            colours.setdefault(PLAIN[int(share.argmax())], []).append(each)
    return [Question(each, _one_of(templates, each.number), name) for name, each in _evened(colours, "colour", 2)]


def _shows_colour(drawings: Drawings) -> list[Question]:
    """Ask for each colour as often where it is as where it is not."""
    templates = ("is there any {} in it?", "does it show the colour {}?")
    sure, possible = drawings.shares
    asked = []
    for place, colour in enumerate(SHOWN):
        by_answer = {
            "yes": [each for each, share in zip(drawings, sure[:, PLAIN.index(colour)], strict=True)
                    if share >= CLEARLY],
            "no": [each for each, share in zip(drawings, possible[:, place], strict=True) if share == 0],
        }  # fmt: skip
        rarer = min(map(len, by_answer.values()))
        for answer, listed in by_answer.items():
            for turn, each in enumerate(_shuffled(listed, colour)[:rarer]):  # in turns, so that no wording tells
                asked.append(Question(each, templates[turn % len(templates)].format(colour), answer))
    return asked


KINDS_OF_QUESTION: dict[str, Callable[[Drawings], list[Question]]] = {
    "name": _name,
    "is_name": _is_name,
    "group": _group,
    "tone": _tone,
    "colour": _colour,
    "shows_colour": _shows_colour,
}
"""What makes the questions of each kind about some drawings."""
