"""Toys for the tests of data: numbers as items and as targets, and a stream whose rows are known beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Processor, Stream, TargetProcessor
from mmlm_core.types import Example, Items


class Numbers(Processor):
    """Numbers as they are; in training, noise stands beside them. It counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def process(self, item: Any) -> dict[str, Tensor]:
        self.calls += 1
        if item == "broken":
            raise DataError("`broken` is no number.")
        return {"value": torch.tensor([float(item)])}

    def blank(self) -> dict[str, Tensor]:
        return {"value": torch.tensor([-1.0])}

    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: torch.Generator | None) -> dict[str, Tensor]:
        values = torch.stack([item["value"] for item in items])
        noise = torch.zeros(len(items)) if generator is None else torch.rand(len(items), generator=generator)
        return {"value": values, "noise": noise}


class Answers(TargetProcessor):
    """The target as a number."""

    def process(self, example: Example, inputs: dict[str, list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        if example.target is None:
            return {}
        if not isinstance(example.target, int):
            raise DataError(f"the target `{example.target}` is no number.")
        return {"answer": torch.tensor(example.target)}

    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        if not targets[0]:
            return {}
        made = {"answer": torch.stack([target["answer"] for target in targets])}
        if generator is not None:
            made["noise"] = torch.rand(len(targets), generator=generator)
        return made


class Numbered(Stream):
    """Numbers in shards: row r of shard s is the number 100 s + r.

    Args:
        sizes: Rows of each shard.
        told: Whether it says its sizes.
        torn: The shard that cannot be read from its second row on.
    """

    def __init__(self, sizes: Sequence[int], told: bool = False, torn: int | None = None) -> None:
        self.sizes = list(sizes)
        self.shards = len(sizes)
        self.told = told
        self.torn = torn
        self.opened: list[tuple[int, int]] = []

    def rows(self, shard: int, start: int = 0) -> Iterator[Example]:
        self.opened.append((shard, start))
        for row in range(start, self.sizes[shard]):
            if shard == self.torn and row >= 1:
                raise DataError(f"`numbers-{shard}.tar` is cut off.")
            yield Example(f"numbers-{shard}.tar:{row + 1}", {"image": [100 * shard + row]}, 100 * shard + row)

    def size(self, shard: int) -> int | None:
        return self.sizes[shard] if self.told else None
