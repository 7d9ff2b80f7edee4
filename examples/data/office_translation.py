"""Makes a table of English texts and their translations out of LibreOffice's interface (MPL-2.0, its localisers).

apt-get download libreoffice-l10n-zh-cn      # 0.8 MB, fetched by apt and by nothing here; or libreoffice-l10n-de
python examples/data/office_translation.py libreoffice-l10n-zh-cn*.deb office/zh.parquet
mmlm train experiment=office_translation data.path=office/zh.parquet

Texts are names of commands, labels, messages and tips. The marks of keys (`_File`, `~File`) are taken away, and each
pair stands there once. Pairs are of one family where their English or their translation is the same but for case,
digits, signs and placeholders; a family is of one split. What the table is made of is not part of the repository.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polib
import pyarrow as pa
import pyarrow.parquet as parquet

from debian import files_of

LONGEST = 120
"""Characters of a text at most."""
TEST, VALIDATION, ALL = 5, 2, 100
"""Of so many families, how many are for the test and for validation."""


def pairs_of(package: Path) -> Iterator[tuple[str, str]]:
    """Yield each message of a package with its translation."""
    with tempfile.TemporaryDirectory() as folder:
        catalogue = Path(folder) / "catalogue.mo"
        for name, content in files_of(package):
            if name.endswith(".mo"):
                catalogue.write_bytes(content)
                for entry in polib.mofile(str(catalogue)):
                    if entry.msgid and entry.msgstr:
                        yield entry.msgid, entry.msgstr


def plain(text: str) -> str:
    """Return a text in one line, without the marks of keys."""
    text = re.sub(r"\s*[(（][_~]\w[)）]", "", text)  # 文件(_F)
    return re.sub(r"\s+", " ", re.sub(r"[_~](?=\w)", "", text)).strip()


def usable(english: str, translation: str) -> bool:
    """Return whether a pair is a translation of words."""
    letters = re.search(r"[a-z]{2}", english) and re.search(r"\w", translation)
    return bool(letters) and english != translation and max(len(english), len(translation)) <= LONGEST


def families(pairs: list[tuple[str, str]]) -> list[int]:
    """Return the family of each pair."""
    parents = list(range(len(pairs)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    holders: dict[tuple[int, str], int] = {}
    for place, pair in enumerate(pairs):
        for side, text in enumerate(pair):
            key = side, re.sub(r"%\w+|\$\(?\w+\)?|[\W\d_]", "", text.lower())
            parents[root(place)] = root(holders.setdefault(key, place))
    return [root(place) for place in range(len(pairs))]


def splits_of(pairs: list[tuple[str, str]]) -> list[str]:
    """Return the split of each pair, by the hash of the first pair of its family."""
    splits = []
    for family in families(pairs):
        drawn = int.from_bytes(hashlib.sha256(pairs[family][0].encode()).digest()[:8], "big") % ALL
        splits.append("test" if drawn < TEST else "validation" if drawn < TEST + VALIDATION else "train")
    return splits


def main() -> None:
    """Write a table with the columns `source`, `target` and `split`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="a package libreoffice-l10n-*")
    parser.add_argument("table", type=Path, help="the Parquet file to write")
    options = parser.parse_args()
    given = ((plain(english), plain(translation)) for english, translation in pairs_of(options.package))
    pairs = sorted({pair for pair in given if usable(*pair)})
    if not pairs:
        raise SystemExit(f"`{options.package}` has no translations: it must be a package libreoffice-l10n-*.")
    splits = splits_of(pairs)
    sources, targets = zip(*pairs, strict=True)
    options.table.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table({"source": sources, "target": targets, "split": splits}), options.table)
    counts = Counter(splits)
    sys.stdout.write(f"{options.table}: {', '.join(f'{counts[split]:,} {split}' for split in sorted(counts))} pairs.\n")


if __name__ == "__main__":
    main()
