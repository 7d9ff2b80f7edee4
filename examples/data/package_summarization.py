r"""Makes a table of the long descriptions of Debian's packages and their one-line synopses, to sum up the former.

apt-get update -o Acquire::Languages=en      # 6 MB of descriptions, fetched by apt and by nothing here
/usr/lib/apt/apt-helper cat-file $(apt-get indextargets -o Acquire::Languages=en \
    --format '$(FILENAME)' 'Created-By: Translations') > descriptions.txt
python examples/data/package_summarization.py descriptions.txt packages.parquet
mmlm train experiment=package_summarization data.path=packages.parquet
python examples/baselines.py runs/RUN      # the first sentence, and the first words

Packages that share their first paragraph (a library, its headers, its documentation) make one family, which is of one
split; of packages with one description or one synopsis, the first stands there. Descriptions are their authors', under
the licences of their packages; what the table is made of is not part of the repository.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

SHORTEST, LONGEST = 80, 1200
"""Characters of a description."""
TEST, VALIDATION, ALL = 3, 1, 100
"""Of so many families, how many are for the test and for validation."""


def described(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield the package, the synopsis and the description of each record."""
    for record in re.split(r"\n\n+", text):
        found = re.match(r"Package: (\S+)\n(?:.*\n)*?Description-en: (.+)\n((?: .*\n?)+)", record)
        if found:
            yield found[1], found[2].strip(), paragraphs(found[3])


def paragraphs(lines: str) -> str:
    """Return an extended description (Debian Policy 5.6.13) as paragraphs of one line each; lists keep their lines."""
    made = []
    for part in re.split(r"^ \.\s*$", lines, flags=re.MULTILINE):
        joined = re.sub(r"\n (?! |[-*•o] )", " ", part.strip("\n"))
        made.append("\n".join(re.sub(r"\s+", " ", line).strip() for line in joined.split("\n")))
    return "\n".join(filter(None, made))


def split_of(description: str) -> str:
    """Return the split, by the hash of the first paragraph's words."""
    words = " ".join(re.findall(r"\w+", description.split("\n")[0].lower()))
    drawn = int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big") % ALL
    return "test" if drawn < TEST else "validation" if drawn < TEST + VALIDATION else "train"


def main() -> None:
    """Write a table with the columns `package`, `description`, `synopsis` and `split`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("descriptions", type=Path, help="a file Translation-en, as apt writes it out")
    parser.add_argument("table", type=Path, help="the Parquet file to write")
    options = parser.parse_args()
    rows: list[tuple[str, str, str]] = []
    known: set[str] = set()
    for package, synopsis, description in described(options.descriptions.read_text(encoding="utf-8")):
        keys = {synopsis.lower(), description}
        if SHORTEST <= len(description) <= LONGEST and not keys & known:
            rows.append((package, synopsis, description))
            known |= keys
    if not rows:
        raise SystemExit(f"`{options.descriptions}` has no records `Package:` with a `Description-en:`.")
    packages, synopses, descriptions = zip(*rows, strict=True)
    splits = [split_of(description) for description in descriptions]
    columns = {"package": packages, "description": descriptions, "synopsis": synopses, "split": splits}
    options.table.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(columns), options.table)
    counts = Counter(splits)
    sys.stdout.write(f"{options.table}: {', '.join(f'{counts[split]:,} {split}' for split in sorted(counts))} rows.\n")


if __name__ == "__main__":
    main()
