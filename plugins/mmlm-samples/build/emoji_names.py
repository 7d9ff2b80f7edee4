"""The emoji, their names in several languages, and which picture of an icon set belongs to which of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packages import read_json

__all__ = ["TONES", "Emoji", "code_points", "join_icons", "kin", "read_emoji", "slug"]

TONES = {1: "light", 2: "medium-light", 3: "medium", 4: "medium-dark", 5: "dark"}

_PERSON, _CHILD = "1F9D1", "1F9D2"
_ADULTS, _CHILDREN = {"1F468", "1F469", _PERSON}, {"1F466", "1F467", _CHILD}
_SIGNS = {"2640", "2642", "27A1"}  # female, male, facing right


@dataclass(frozen=True)
class Emoji:
    """One emoji with one skin tone, or with none."""

    code: str
    text: str
    concept: str
    group: str
    subgroup: str
    tone: str
    labels: Mapping[str, str]
    tags: Mapping[str, tuple[str, ...]]


def code_points(hexcode: str) -> str:
    """Return the code points in one spelling: upper case, without the variation selector that sources differ in."""
    return "-".join(point for point in hexcode.upper().split("-") if point != "FE0F")


def slug(label: str) -> str:
    """Return the label as icon sets spell it in the names of icons.

    `#` and `*` stay, so that "keycap: #" does not pass for the bare "keycap" that some sets draw too.
    """
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9#*]+", "-", plain.replace("'", "").replace("&", "and")).strip("-")


def kin(concept: str) -> str:
    """Return what the concept shares with its variants in gender and direction ("man running: facing right")."""
    points = [point for point in code_points(concept).split("-") if point not in {"200D", *_SIGNS}]
    neutral = dict.fromkeys(_ADULTS, _PERSON)
    if len(points) > 1:  # a child in a family; alone, girl and boy are concepts of their own
        neutral |= dict.fromkeys(_CHILDREN, _CHILD)
    return "-".join(neutral.get(point, point) for point in points)


def read_emoji(tarball: Path, languages: tuple[str, ...]) -> dict[str, Emoji]:
    """Return the emoji of emojibase by code points, in its order.

    Left out are flags, pictures of two skin tones, and what belongs to no group (the letters that flags are made of).
    """
    messages = read_json(tarball, "en/messages.json")
    groups = {group["order"]: group["key"] for group in messages["groups"]}
    subgroups = {subgroup["order"]: subgroup["key"] for subgroup in messages["subgroups"]}
    data = {language: read_json(tarball, f"{language}/data.json") for language in languages}
    labels = {language: _labels(entries) for language, entries in data.items()}
    tags = {language: {entry["hexcode"]: tuple(entry.get("tags", ())) for entry in data[language]} for language in data}
    emoji: dict[str, Emoji] = {}
    for base in data["en"]:
        group = groups.get(base.get("group"))
        if group is None or group == "flags":
            continue
        for entry in _with_skins(base):
            tone = entry.get("tone", 0)
            if isinstance(tone, list):
                continue
            code = code_points(entry["hexcode"])
            emoji[code] = Emoji(
                code=code,
                text=entry["emoji"],
                concept=code_points(base["hexcode"]),
                group=group,
                subgroup=subgroups[base["subgroup"]],
                tone=TONES.get(tone, "none"),
                labels={language: labels[language][code] for language in languages},
                tags={language: tags[language][base["hexcode"]] for language in languages},
            )
    return emoji


def join_icons(icons: Mapping[str, Any], chars: Mapping[str, str], emoji: Mapping[str, Emoji]) -> dict[str, str]:
    """Return the name of the icon for each emoji that the set draws, by code points.

    Code points decide; the spelling of the name is asked only for icons that have none.

    Args:
        icons: The set's icons by name.
        chars: Code points -> name, of this set or of a newer one of the same designers that shares its names.
        emoji: The emoji by code points.

    Raises:
        ValueError: Two icons claim one emoji, or an icon's code points and its name disagree.
    """
    joined: dict[str, str] = {}
    for spelling, name in chars.items():
        code = code_points(spelling)
        if name in icons and code in emoji and joined.setdefault(code, name) != name:
            raise ValueError(f"`{name}` and `{joined[code]}` must not both be {code}")
    named = {name: code for code, name in joined.items()}
    for code, entry in emoji.items():
        name = slug(entry.labels["en"])
        if name in icons and named.setdefault(name, code) != code:
            raise ValueError(f"`{name}` must be {code} by its label, its code points are {named[name]}")
        if name in icons:
            joined.setdefault(code, name)
    return joined


def _with_skins(base: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return (base, *base.get("skins", ()))


def _labels(entries: Any) -> dict[str, str]:
    return {code_points(entry["hexcode"]): entry["label"] for base in entries for entry in _with_skins(base)}
