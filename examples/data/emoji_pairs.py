"""Makes questions about two pictures each out of the embedded emoji: `Which one is food: <image> or <image>?`

python examples/data/emoji_pairs.py pairs
mmlm train experiment=emoji_pairs data.path=pairs/train.parquet data.test=pairs/test.parquet

Training shows four designs, the test a fifth. Without the pictures it is a guess: among six groups in two of three
questions, between two places in the third.
"""

from __future__ import annotations

import argparse
import random
import sys
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

WORDS = {
    "activities": "a game or a sport",
    "animals-nature": "an animal or a plant",
    "food-drink": "food",
    "objects": "an object",
    "people-body": "a person",
    "travel-places": "a place",
}
"""What each group of emoji is called in a question."""

PLACES = ("the first", "the second")


def rows_of(drawings: dict[str, list[bytes]], count: int, seed: int) -> list[dict[str, object]]:
    """Return questions about one of two pictures (two of three), and about which of the two it is."""
    drawn = random.Random(seed)
    groups = sorted(drawings)
    rows = []
    for number in range(count):
        two = drawn.sample(groups, 2)
        left, right = (drawn.choice(drawings[group]) for group in two)
        place = drawn.randrange(2)
        word = WORDS[two[place]]
        question, answer = f"Here is <image> and there <image>. What is {PLACES[place]}?", word
        if number % 3 == 2:
            question, answer = f"Which one is {word}: <image> or <image>?", PLACES[place]
        rows.append({"left": left, "right": right, "question": question, "answer": answer})
    return rows


def main() -> None:
    """Write `train.parquet` and `test.parquet`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--rows", type=int, default=20_000, help="of the training; the test has a tenth (default 20,000)"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    emoji = parquet.read_table(files("mmlm_samples") / "data" / "emoji.parquet",
                               columns=["picture", "group", "split", "standard"]).to_pylist()  # fmt: skip
    for split, count in (("train", options.rows), ("test", options.rows // 10)):
        drawings: dict[str, list[bytes]] = {}
        for row in emoji:
            if row["standard"] and row["split"] == split and row["group"] in WORDS:
                drawings.setdefault(row["group"], []).append(row["picture"])
        rows = rows_of(drawings, count, seed=len(split))
        parquet.write_table(pa.Table.from_pylist(rows), options.folder / f"{split}.parquet")
        sys.stdout.write(f"{split}: {len(rows):,} questions about {sum(map(len, drawings.values())):,} pictures\n")


if __name__ == "__main__":
    main()
