"""C10: texts of mixed length (paragraphs of prose): the share of positions that is no padding, and useful tokens a second.

Random batches, buckets of like length, and packed rows, in bare loops over the same model and the same texts.
"""

import time
from functools import partial
from itertools import islice

import torch

from mmlm_core.data import BatchLoader, make_loaders
from mmlm_core.preparation import Preparation
from tests.benchmarks.common import line, ratio
from tests.benchmarks.trainings import prepared

TOY = [
    "data=prose", "tokenizer=bpe", "tokenizer.vocabulary=2000", "backbone=transformer", "backbone.width=96",
    "backbone.depth=2", "backbone.heads=4", "head=language_modeling", "head.context=512", "loader.batch_size=32",
    "trainer.max_steps=1",
]  # fmt: skip
WAYS = {"random batches": [], "buckets": ["loader.bucket=true"], "packed": ["head.pack=true"]}
STEPS = 10


def loader(made: Preparation) -> BatchLoader:
    model = made.model
    rows = {"train": made.source.read("train")}
    return make_loaders(rows, model.processors(), model.head.target_processor(), made.composition.settings.loader, 1)[
        "train"
    ]


def share(made: Preparation) -> float:
    """Return the share of an epoch's positions that is no padding."""
    used = whole = 0
    for batch in loader(made):
        used += int(batch.targets["lengths"].sum())
        whole += batch.targets["ids"].numel()
    return used / whole


def seconds_a_token(made: Preparation) -> float:
    """Return the time that one learnt token takes, over the first steps of an epoch."""
    optimizer = torch.optim.AdamW(made.model.parameters(), lr=1e-4)
    batches = list(islice(loader(made), STEPS))
    began = time.perf_counter()
    for batch in batches:
        made.model.loss(batch).mean.backward()
        optimizer.step()
        optimizer.zero_grad()
    return (time.perf_counter() - began) / sum(int(batch.targets["lengths"].sum()) for batch in batches)


def main() -> None:
    """Print the shares, and the speeds against that of random batches."""
    torch.set_num_threads(1)
    ways = {name: prepared([*TOY, *more]) for name, more in WAYS.items()}
    for name, goal in (("random batches", "printed"), ("buckets", "at least 85 %"), ("packed", "at least 95 %")):
        print(f"{f'positions that are no padding, {name}':64} {share(ways[name]):6.1%} (goal {goal})", flush=True)
    for name in ("buckets", "packed"):
        pair = [partial(seconds_a_token, ways[way]) for way in (name, "random batches")]
        line(f"useful tokens a second, {name} over random batches", ratio(*pair), "1.8")


if __name__ == "__main__":
    main()
