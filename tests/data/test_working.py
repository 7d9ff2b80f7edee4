"""Workers are there where they help, and nowhere else."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch
from data_toys import Answers, Numbered, Numbers
from torch import Tensor

from mmlm_core import machine
from mmlm_core.data import Prepared, Rows, choose_workers
from mmlm_core.settings import LoaderOptions, OnError
from mmlm_core.types import Example


class Slow(Numbers):
    """Each item takes 2 ms and becomes 64 KiB."""

    def process(self, item: Any) -> dict[str, Tensor]:
        time.sleep(0.002)
        return {**super().process(item), "wide": torch.zeros(1 << 14)}


MANY = [Example(str(number), {"image": [number]}, number) for number in range(10_000)]


def chosen(rows: Rows, processor: Numbers, workers: Any = "auto", processes: int = 1, cache_mib: int = 0) -> int:
    prepared = Prepared(rows, {"image": processor}, Answers(), cache_mib << 20, OnError.SKIP)
    return choose_workers(prepared, LoaderOptions(workers=workers, batch_size=16), processes).count


@pytest.fixture(autouse=True)
def twelve_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 12)


def test_what_is_dear_has_half_of_the_cores_of_its_process() -> None:
    assert chosen(MANY, Slow()) == 6
    assert chosen(MANY, Slow(), processes=3) == 2
    assert chosen(Numbered([5000, 5000]), Slow()) == 6


def test_what_is_cheap_or_short_or_has_one_core_has_none() -> None:
    assert chosen(MANY, Numbers()) == 0
    assert chosen(MANY[:100], Slow()) == 0
    assert chosen(MANY, Slow(), processes=12) == 0


def test_what_is_kept_in_memory_has_none_and_what_does_not_fit_has_some() -> None:
    assert chosen(MANY, Slow(), cache_mib=1024) == 0
    assert chosen(MANY, Slow(), cache_mib=100) == 6


def test_a_number_is_taken_as_it_is_and_rows_that_cannot_be_used_are_passed_over() -> None:
    assert chosen(MANY, Numbers(), workers=3) == 3
    assert chosen([Example("a", {"image": ["broken"]}, 1)] * 10_000, Slow()) == 0


def test_workers_are_told_with_their_reason() -> None:
    prepared = Prepared(MANY, {"image": Slow()}, Answers())
    assert choose_workers(prepared, LoaderOptions(batch_size=16)).told().startswith("6 workers (a row takes 2")
    assert choose_workers(prepared, LoaderOptions(workers=1)).told() == "1 worker"
