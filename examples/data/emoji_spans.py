"""Makes questions out of the embedded emoji, `Which group is the red apple in?`, each with a text that says it.

python examples/data/emoji_spans.py spans
mmlm train experiment=emoji_spans data.path=spans/train.jsonl data.test=spans/test.jsonl

A text speaks of five emoji, so who only looks for a word that may be a group takes that of another. Every tenth
question is about an emoji that the text does not speak of, and has no answer. The test's emoji are not in the training.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow.compute as compute
import pyarrow.parquet as parquet

SENTENCES = (
    "The {label} belongs to {group}, among {subgroup}.",
    "Among {subgroup} of {group} stands the {label}.",
    "One finds the {label} under {group}, and there under {subgroup}.",
)
QUESTIONS = {"group": "Which group is the {label} in?", "subgroup": "Which subgroup is the {label} in?"}
SPOKEN_OF = 5
"""Emoji that a text speaks of."""


def emoji_of(split: str) -> list[dict[str, str]]:
    """Return the emoji of a split, each once, without skin tones."""
    table = parquet.read_table(files("mmlm_samples") / "data" / "emoji.parquet",
                               columns=["label_en", "group", "subgroup", "tone", "split_concepts"])  # fmt: skip
    rows = table.filter(compute.equal(table["split_concepts"], split)).to_pylist()
    found = {row["label_en"]: row for row in rows if row["tone"] == "none" and row["label_en"]}
    return [
        {"label": label, "group": row["group"].replace("-", " and "), "subgroup": row["subgroup"].replace("-", " ")}
        for label, row in sorted(found.items())
    ]


def question(emoji: Sequence[dict[str, str]], drawn: random.Random) -> dict[str, Any]:
    """Return a question about one of some emoji, with a text about it and others; or about others alone."""
    asked, *others = drawn.sample(emoji, SPOKEN_OF + 1)
    answered = drawn.random() < 0.9
    told = [asked, *others[1:]] if answered else others
    drawn.shuffle(told)
    kind = drawn.choice(sorted(QUESTIONS))
    text, start = "", 0
    for one in told:
        sentence = drawn.choice(SENTENCES)
        if one is asked:
            before = sentence.partition("{" + kind + "}")[0].format(**one)
            start = len(text) + len(before)
        text += sentence.format(**one) + " "
    answer = {"text": [asked[kind]], "answer_start": [start]} if answered else {"text": [], "answer_start": []}
    return {"question": QUESTIONS[kind].format(**asked), "text": text.strip(), "answer": answer}


def guesses(rows: Sequence[dict[str, Any]], emoji: Sequence[dict[str, str]]) -> float:
    """Return how often the first group, or subgroup, of a text is what is asked for."""
    names = {kind: sorted({one[kind] for one in emoji}, key=len, reverse=True) for kind in QUESTIONS}
    right = 0
    for row in rows:
        kind = "subgroup" if "subgroup" in row["question"] else "group"
        there = [(row["text"].find(name), name) for name in names[kind] if name in row["text"]]
        right += [min(there)[1]] == row["answer"]["text"]
    return right / len(rows)


def main() -> None:
    """Write `train.jsonl`, `validation.jsonl` and `test.jsonl`, and tell the baseline."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=20_000, help="of the training; the others have a twentieth")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    drawn = random.Random(0)
    for split in ("train", "validation", "test"):
        emoji = emoji_of(split)
        count = options.rows if split == "train" else options.rows // 20
        rows = [question(emoji, drawn) for _ in range(count)]
        lines = (json.dumps(row, ensure_ascii=False) for row in rows)
        (options.folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        told = f"; the first that may be it is right for {guesses(rows, emoji):.1%}" if split == "test" else ""
        sys.stdout.write(f"{split}: {count:,} questions about {len(emoji):,} emoji{told}.\n")


if __name__ == "__main__":
    main()
