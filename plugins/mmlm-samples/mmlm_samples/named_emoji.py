"""Each emoji once, by its names, with the split that its names belong to."""

from __future__ import annotations

from functools import cache
from typing import Any

from mmlm_samples.name_families import families, splits_of
from mmlm_samples.options import LANGUAGES
from mmlm_samples.rows import SampleFile

__all__ = ["named_emoji"]


@cache
def named_emoji() -> tuple[list[dict[str, Any]], list[str]]:
    """Return the first row of each emoji, whoever drew it, and the split of each; see `name_families`.

    A row has its `number` in the file, from 0, and the columns that are no picture's.
    """
    file = SampleFile("emoji", {}, None, None, called="emoji_names")
    columns = ["emoji", "group", "subgroup", "kin", "tone", *(f"label_{language}" for language in LANGUAGES)]
    first: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(file.columns(dict.fromkeys(columns, "data")).to_pylist()):
        first.setdefault(row["emoji"], {"number": number, **row})
    rows = list(first.values())
    names = [[row[f"label_{language}"] for language in LANGUAGES] for row in rows]
    return rows, splits_of([row["label_en"] for row in rows], families(names, [row["kin"] for row in rows]))
