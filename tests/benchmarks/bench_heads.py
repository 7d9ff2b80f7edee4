"""For each head, the share of a training step that is spent outside the backbone and the encoders.

A step is that of the gallery's first row with the head whose data is there (`make gallery` makes it), or else of the first
experiment: loss, gradients, clipping, update. From its time goes what the backbone and the encoders take alone, forwards
and backwards, on what they read in it.
"""

import logging
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import yaml
from torch import Tensor

import mmlm_core
from mmlm_core.data import make_loaders
from mmlm_core.errors import MmlmError
from mmlm_core.preparation import Preparation
from mmlm_core.types import Batch, Features
from tests.benchmarks.common import cores, seconds
from tests.benchmarks.trainings import prepared

ROUNDS = 5
QUICK = ["trainer.devices=1", "trainer.strategy=auto", "loader.cache_mib=0"]


def main() -> None:
    torch.set_num_threads(cores())
    logging.disable(logging.WARNING)
    seen: set[str] = set()
    left: dict[str, str] = {}
    for name, words in trainings():
        head = mmlm_core.compose(words[:1])["head"].component.name
        if head in seen:
            continue
        try:
            made = prepared([*words, *QUICK])
            batch = first_batch(made)
        except (MmlmError, OSError) as error:
            left[head] = f"{head:28} left out: {str(error).splitlines()[0][:80]}"
            continue
        seen.add(head)
        whole, parts = times(made, batch)
        print(f"{head:28} {1 - parts / whole:5.1%} of {whole * 1000:.0f} ms  ({name}, {batch.size} rows)", flush=True)
    print("\n".join(told for head, told in left.items() if head not in seen))


def trainings() -> Iterator[tuple[str, list[str]]]:
    """Yield the overrides of the gallery's rows, on the data that was made for them, and then the experiments."""
    for row in yaml.safe_load(Path("docs/results.yaml").read_text(encoding="utf-8")):
        words = shlex.split(row["train"].replace("$DATA", "runs/gallery/data"))
        yield row["name"], [word for word in words if not word.startswith("run.init=")]
    for path in sorted(Path("conf/experiment").glob("*.yaml")):
        yield path.stem, [f"experiment={path.stem}"]


def first_batch(made: Preparation) -> Batch:
    """Return a batch of the training."""
    rows = made.source.read("train")
    settings = made.composition.settings
    loaders = make_loaders(
        {"train": rows}, made.model.processors(), made.model.head.target_processor(), settings.loader, settings.run.seed
    )
    return next(iter(loaders["train"]))


def times(made: Preparation, batch: Batch) -> tuple[float, float]:
    """Return the seconds of a step, and of its backbone and encoders alone: the best of each."""
    model = made.model.train()
    choice = made.composition["optimizer"]
    optimizer = choice.component.load()(choice.options).build(model)
    read: list[tuple[torch.nn.Module, object]] = []
    parts = [model.backbone, *model.encoders.values()]
    handles = [part.register_forward_hook(lambda part, given, _: read.append((part, given[0]))) for part in parts]
    model.loss(batch)
    for handle in handles:
        handle.remove()

    def step() -> None:
        model.loss(batch).mean.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    alone = [again(part, given) for part, given in read]
    pairs = [(seconds(step), sum(map(seconds, alone))) for _ in range(ROUNDS + 1)][1:]
    whole, inside = zip(*pairs, strict=True)
    return min(whole), min(inside)


def again(part: torch.nn.Module, given: object) -> Callable[[], None]:
    """Return what runs a part forwards and backwards on what it read."""
    if isinstance(given, Features):
        given = given.with_values(given.values.detach().requires_grad_())

    def run() -> None:
        out = part(given)
        values: Tensor = out.values if isinstance(out, Features) else out
        if values.requires_grad:
            values.sum().backward()

    return run


if __name__ == "__main__":
    main()
