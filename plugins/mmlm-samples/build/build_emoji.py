"""Build `emoji.parquet`: emoji drawn by several designers, with their names in six languages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from emoji_names import Emoji, join_icons, kin, read_emoji
from packages import Package, arguments, fetch, read_json
from pictures import icon_svg, render, stored_png
from splits import split_of
from tables import report, write

SIZE = 32
LANGUAGES = ("en", "zh", "de", "fr", "es", "ja")
STANDARD_TONES = ("none", "light", "medium", "dark")
STANDARD_TOKENS = 10
NAMES = Package("emojibase-data", "17.0.0", "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a")


@dataclass(frozen=True)
class Family:
    """One designer's icon set."""

    name: str
    package: Package
    chars: str
    """The family whose table of code points names this set's icons: its own, or the newer one of the same designers."""


@dataclass(frozen=True)
class Row:
    """One picture of one emoji."""

    family: str
    emoji: Emoji
    rgb: bytes


FAMILIES = (
    Family(
        "noto",
        Package("@iconify-json/noto", "1.2.9", "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad"),
        chars="noto",
    ),
    Family(
        "noto-v1",
        Package("@iconify-json/noto-v1", "1.2.5", "2bf62c26c2c2884aa99e90aec942cdaee17a5921f05690694f4978ad4b017c37"),
        chars="noto",
    ),
    Family(
        "twemoji",
        Package("@iconify-json/twemoji", "1.2.5", "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7"),
        chars="twemoji",
    ),
    Family(
        "fluent",
        Package(
            "@iconify-json/fluent-emoji", "1.2.7", "8044210dbf11e016d4de85f15d01a243423bd832457e7e2491df1b751c0e272b"
        ),
        chars="fluent-flat",
    ),
    Family(
        "fluent-flat",
        Package(
            "@iconify-json/fluent-emoji-flat",
            "1.2.6",
            "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175",
        ),
        chars="fluent-flat",
    ),
)
HELD_OUT_FAMILY = "twemoji"


def main() -> None:
    """Write the data file and say how many rows each split and family has."""
    options = arguments(str(__doc__))
    emoji = read_emoji(fetch(NAMES, options.cache), LANGUAGES)
    tarballs = {family.name: fetch(family.package, options.cache) for family in FAMILIES}
    rows = [row for family in FAMILIES for row in draw(family, tarballs, emoji)]
    table = tabulate(rows)
    metadata = {
        "license": "noto, noto-v1: Apache-2.0; twemoji: CC-BY-4.0; fluent, fluent-flat: MIT; labels, tags: MIT",
        "notices": "NOTICES.md of the distribution mmlm-samples",
    }
    write(options.out / "emoji.parquet", table, metadata, plain=["picture"])
    report(table, "split", "family")
    report(table, "standard", "split", "family")
    report(table, "split_concepts", "family")


def draw(family: Family, tarballs: Mapping[str, Path], emoji: Mapping[str, Emoji]) -> Iterator[Row]:
    """Yield the family's pictures in the order of the emoji."""
    icon_set = read_json(tarballs[family.name], "icons.json")
    icons = icon_set["icons"]
    names = join_icons(icons, read_json(tarballs[family.chars], "chars.json"), emoji)
    for code, entry in emoji.items():
        if code in names:
            yield Row(family.name, entry, render(icon_svg(icons[names[code]], icon_set, SIZE), SIZE))


def tabulate(rows: Sequence[Row]) -> pa.Table:
    """Return the rows as columns, with both splits."""
    kinship = kinships(rows)
    columns: dict[str, pa.Array] = {
        "picture": pa.array([stored_png(row.rgb, SIZE) for row in rows], pa.binary()),
        "family": pa.array([row.family for row in rows]),
        "emoji": pa.array([row.emoji.text for row in rows]),
        "group": pa.array([row.emoji.group for row in rows]),
        "subgroup": pa.array([row.emoji.subgroup for row in rows]),
        "tone": pa.array([row.emoji.tone for row in rows]),
        "concept": pa.array([row.emoji.concept for row in rows]),
        "kin": pa.array([kinship[row.emoji.concept] for row in rows]),
    }
    for language in LANGUAGES:
        columns[f"label_{language}"] = pa.array([row.emoji.labels[language] for row in rows])
    for language in LANGUAGES:
        columns[f"tags_{language}"] = pa.array([row.emoji.tags[language] for row in rows], pa.list_(pa.string()))
    columns["split"] = pa.array([standard_split(row) for row in rows])
    columns["split_concepts"] = pa.array([split_of(kinship[row.emoji.concept], "emoji-kin", 2, 1) for row in rows])
    columns["standard"] = pa.array([is_standard(row.emoji) for row in rows])
    return pa.table(columns)


def standard_split(row: Row) -> str:
    """Return the split that holds out a designer; pictures of a tenth of the concepts validate."""
    if row.family == HELD_OUT_FAMILY:
        return "test"
    return split_of(row.emoji.concept, "emoji", test=0, validation=2)


def is_standard(emoji: Emoji) -> bool:
    """Return whether the emoji belongs to the standard task: few tones, short captions (punctuation counts)."""
    tokens = re.findall(r"\w+|[^\w\s]", emoji.labels["en"])
    return emoji.tone in STANDARD_TONES and len(tokens) <= STANDARD_TOKENS


def kinships(rows: Sequence[Row]) -> dict[str, str]:
    """Return for each concept the name of the concepts that it must share a split with, or the harder test leaks.

    These are its variants in gender and direction, and whatever a family draws with the very same picture.
    """
    parent = {concept: concept for row in rows for concept in (row.emoji.concept, kin(row.emoji.concept))}

    def root(concept: str) -> str:
        while parent[concept] != concept:
            concept = parent[concept]
        return concept

    first: dict[tuple[str, bytes], str] = {}
    for row in rows:
        same_picture = first.setdefault((row.family, row.rgb), row.emoji.concept)
        for other in (kin(row.emoji.concept), same_picture):
            one, two = sorted((root(row.emoji.concept), root(other)))
            parent[two] = one
    return {row.emoji.concept: root(row.emoji.concept) for row in rows}


if __name__ == "__main__":
    main()
