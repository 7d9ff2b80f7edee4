"""What the processors of encoders and of heads keep, which work in data workers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch

from mmlm_core.testing.contracts.checks import by_pickle, difference

__all__ = ["check_collate", "check_pickling", "check_process"]

Tensors = dict[str, torch.Tensor]
Process = Callable[[Any], list[Tensors]]
"""Lets a processor process the contract's items, or targets."""

Collate = Callable[[Any, list[Tensors], torch.Generator | None], Tensors]
"""Lets a processor collate them."""


def check_pickling(named: str, processor: Any, process: Process) -> None:
    """Check that a processor pickles, and that its copy works alike."""
    copied = by_pickle(processor, named)
    where = difference(process(processor), process(copied))
    assert where is None, (
        f"{named} works differently after pickling ({where}): a data worker has such a copy. Keep what it needs in "
        "attributes that pickle, and draw nothing at random in `process`."
    )


def check_process(named: str, processor: Any, process: Process) -> None:
    """Check that the same item always gives the same."""
    where = difference(process(processor), process(processor))
    assert where is None, (
        f"{named} gives two results for one item in `process` ({where}), which may be done once and kept: move what is "
        "random to `collate`, and draw it from the generator that `collate` is given."
    )


def check_collate(named: str, processor: Any, process: Process, collate: Collate) -> None:
    """Check that what is random is drawn from the generator alone, and that the items stay as they are."""
    items = process(processor)
    kept = copy.deepcopy(items)
    for seed in (None, 3):
        pair = []
        for _ in range(2):
            generator = None if seed is None else torch.Generator().manual_seed(seed)
            pair.append(copy.deepcopy(collate(processor, items, generator)))
            where = difference(kept, items)
            assert where is None, (
                f"{named} changes what `process` made ({where}) in `collate`: it may be kept and used again, so change "
                "a copy (`tensor.clone()`)."
            )
        where = difference(pair[0], pair[1])
        remedy = (
            "augment nothing and drop nothing where `generator` is None, which is evaluation"
            if seed is None
            else "draw only from the generator that it is given (`torch.rand(..., generator=generator)`)"
        )
        told = "without a generator" if seed is None else "under one seed"
        assert where is None, f"{named} gives two results {told} in `collate` ({where}): {remedy}."
