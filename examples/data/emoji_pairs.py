"""Makes questions about two pictures each out of the embedded emoji: `Which one is food: <image> or <image>?`

python examples/data/emoji_pairs.py pairs
mmlm train experiment=emoji_pairs data.path=pairs/train.parquet data.test=pairs/test.parquet

Training shows four designs, the test a fifth. Both answers are right as often, so without the pictures it is a guess.
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

FORMS = ("Which one is {}: <image> or <image>?", "Here is <image> and there <image>. Where is {}?")
ANSWERS = ("the first", "the second")


def pairs_of(drawings: dict[str, list[bytes]], count: int, seed: int) -> list[dict[str, object]]:
    """Return questions about two pictures of different groups, one of which is asked for."""
    drawn = random.Random(seed)
    groups = sorted(drawings)
    rows = []
    for number in range(count):
        asked, other = drawn.sample(groups, 2)
        pictures = [drawn.choice(drawings[asked]), drawn.choice(drawings[other])]
        second = drawn.random() < 0.5
        left, right = reversed(pictures) if second else pictures
        question = FORMS[number % len(FORMS)].format(WORDS[asked])
        rows.append({"left": left, "right": right, "question": question, "answer": ANSWERS[second]})
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
        rows = pairs_of(drawings, count, seed=len(split))
        parquet.write_table(pa.Table.from_pylist(rows), options.folder / f"{split}.parquet")
        sys.stdout.write(f"{split}: {len(rows):,} questions about {sum(map(len, drawings.values())):,} pictures\n")


if __name__ == "__main__":
    main()
