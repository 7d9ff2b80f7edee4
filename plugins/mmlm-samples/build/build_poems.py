"""Build `poems.parquet`: a part of the lyrics (ci) of the Song dynasty."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from near_duplicates import originals, shingles
from packages import Package, arguments, fetch, read_files
from splits import bucket, split_of
from tables import report, write

PACKAGE = Package("chinese-poetry", "2.0.1", "25b549e46919c3a0569db6b68ddc96956b04a484ea4518ad2bbd4f137e307e86")
SHORTEST, LONGEST = 20, 250
REPEATED = 0.5
"""Two poems that share half of the shorter one's runs of four characters are one poem."""
KEPT_OF_100 = 65

# Some poems have characters that were lost (a box) or garbled (letters of other scripts): not these.
_WHOLE = re.compile(r"[\u4e00-\u9fff，。、；：？！\n]+")
_PUNCTUATION = re.compile(r"[，。、；：？！\n]")


@dataclass(frozen=True)
class Poem:
    """One poem: lines joined by newlines, the tune that it was written to, who wrote it."""

    text: str
    rhythmic: str
    author: str


def main() -> None:
    """Write the data file and say how many rows each split has."""
    options = arguments(str(__doc__))
    poems = [poem for poem in read_poems(fetch(PACKAGE, options.cache)) if is_whole(poem.text)]
    words = [_PUNCTUATION.sub("", poem.text) for poem in poems]
    distinct = [poems[place] for place in originals([shingles(list(each), 4) for each in words], REPEATED)]
    kept = [poem for poem in distinct if bucket(poem.text, 100, "poems-kept") < KEPT_OF_100]
    table = pa.table(
        {
            "text": pa.array([poem.text for poem in kept]),
            "rhythmic": pa.array([poem.rhythmic for poem in kept]),
            "author": pa.array([poem.author for poem in kept]),
            "split": pa.array([split_of(poem.text, "poems", test=1, validation=1) for poem in kept]),
        }
    )
    metadata = {"license": "MIT", "notices": "NOTICES.md of the distribution mmlm-samples"}
    write(options.out / "poems.parquet", table, metadata, plain=["text"])
    print(f"  {len(poems)} whole poems, {len(poems) - len(distinct)} of them repeat another, {len(kept)} kept")
    report(table, "split")


def read_poems(tarball: Path) -> Iterator[Poem]:
    """Yield the poems in the order of the collection."""
    files = [
        (int(number[1]), content)
        for name, content in read_files(tarball, "dist/songci/ci.song.", ".json")
        if (number := re.search(r"\.(\d+)\.json$", name))
    ]
    for _, content in sorted(files):
        for entry in json.loads(content):
            text = "\n".join(line.strip() for line in entry["paragraphs"])
            yield Poem(text, entry["rhythmic"].strip(), entry["author"].strip())


def is_whole(text: str) -> bool:
    """Return whether the poem is of usual length, and nothing in it is missing or garbled."""
    return SHORTEST <= len(text) <= LONGEST and _WHOLE.fullmatch(text) is not None


if __name__ == "__main__":
    main()
