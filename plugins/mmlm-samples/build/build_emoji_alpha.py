"""Build `emoji_alpha.parquet`: how opaque each pixel of the pictures in `emoji.parquet` is, row by row."""

from __future__ import annotations

import pyarrow as pa
from build_emoji import FAMILIES, LANGUAGES, NAMES, SIZE
from emoji_names import join_icons, read_emoji
from packages import arguments, fetch, read_json
from pictures import icon_svg, render_alpha, stored_png
from tables import report, write


def main() -> None:
    """Write the data file: the same rows as in `emoji.parquet`, in the same order."""
    options = arguments(str(__doc__))
    emoji = read_emoji(fetch(NAMES, options.cache), LANGUAGES)
    tarballs = {family.name: fetch(family.package, options.cache) for family in FAMILIES}
    rows = []
    for family in FAMILIES:
        icon_set = read_json(tarballs[family.name], "icons.json")
        names = join_icons(icon_set["icons"], read_json(tarballs[family.chars], "chars.json"), emoji)
        for code, entry in emoji.items():
            if code in names:
                svg = icon_svg(icon_set["icons"][names[code]], icon_set, SIZE)
                rows.append((family.name, entry.text, stored_png(render_alpha(svg, SIZE), SIZE)))
    columns = zip(*rows, strict=True)
    kinds = (pa.string(), pa.string(), pa.binary())
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    table = pa.table(dict(zip(("family", "emoji", "alpha"), arrays, strict=True)))
    metadata = {
        "license": "noto, noto-v1: Apache-2.0; twemoji: CC-BY-4.0; fluent, fluent-flat: MIT",
        "notices": "NOTICES.md of the distribution mmlm-samples",
    }
    write(options.out / "emoji_alpha.parquet", table, metadata, plain=["alpha"])
    report(table, "family")


if __name__ == "__main__":
    main()
