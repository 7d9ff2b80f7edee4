"""The small parts of a training: clock, meter, average, selection, randomness."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from mmlm_core.training import clock as clock_module
from mmlm_core.training import random_state
from mmlm_core.training.average import Average
from mmlm_core.training.clock import Clock
from mmlm_core.training.meter import Meter
from mmlm_core.training.selection import Selection
from mmlm_core.types import Loss


@pytest.fixture
def now(monkeypatch):
    """The time, which a test sets."""
    time = [100.0]
    monkeypatch.setattr(clock_module.time, "monotonic", lambda: time[0])
    return time


def test_a_training_of_40_steps_is_half_done_after_20():
    clock = Clock(40, None)
    assert clock.share(20) == 0.5
    assert not clock.done(39)
    assert clock.done(40)


def test_the_clock_keeps_the_last_validations_seconds_in_reserve(now):
    clock = Clock(None, 1.0)
    clock.start()
    clock.reserve(10)
    now[0] += 25
    assert clock.share(0) == 0.5
    assert not clock.done(0)
    now[0] += 25
    assert clock.done(0)
    assert clock.share(0) == 1


def test_the_share_never_falls_when_a_validation_was_quicker_than_the_one_before(now):
    clock = Clock(None, 1.0)
    clock.start()
    clock.reserve(20)
    now[0] += 20
    assert clock.share(0) == 0.5
    clock.reserve(0)
    assert clock.share(0) == 0.5


def test_a_resumed_clock_goes_on_from_the_seconds_before(now):
    first = Clock(None, 1.0)
    first.start()
    now[0] += 30
    second = Clock(None, 1.0)
    second.load_state_dict(first.state_dict())
    now[0] += 1000
    second.start()
    now[0] += 5
    assert second.elapsed == 35


def test_a_clock_that_agrees_with_another_rank_decides_by_its_time(now):
    clock = Clock(None, 1.0)
    clock.start()
    clock.agree(60)
    assert clock.done(0)


def _loss(total: float, count: int, correct: int) -> Loss:
    return Loss(torch.tensor(total), torch.tensor(count), {"correct": torch.tensor(correct)})


def test_the_meter_averages_by_count_and_not_by_batch():
    meter = Meter()
    meter.add(_loss(6.0, 3, 1), rows=2)
    meter.add(_loss(1.0, 1, 1), rows=1)
    figures = meter.read()
    assert figures["loss"] == 7 / 4
    assert figures["correct"] == 2 / 4
    assert meter.read() == {}


def test_the_meter_measures_speed_only_while_its_time_runs(monkeypatch):
    from mmlm_core.training import meter as module

    now = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    meter = Meter()
    meter.run()
    meter.add(_loss(1.0, 8, 0), rows=4)
    now[0] = 2.0
    meter.pause()
    now[0] = 50.0
    figures = meter.read()
    assert figures["samples_per_second"] == 2
    assert figures["counts_per_second"] == 4


def test_the_meter_keeps_no_graph():
    meter = Meter()
    weight = torch.ones((), requires_grad=True)
    meter.add(Loss(weight * 2, torch.tensor(1)), 1)
    assert not meter._losses[0][0].requires_grad


def test_the_mean_loss_since_the_last_time_is_apart_from_the_readings():
    meter = Meter()
    assert meter.mean_loss() is None
    for total in (2.0, 4.0, 12.0):
        meter.add(Loss(torch.tensor(total), torch.tensor(2.0)), rows=2)
        if total == 4.0:
            assert meter.read()["loss"] == 1.5
    assert meter.mean_loss() == 3.0
    assert meter.read()["loss"] == 6.0
    assert meter.mean_loss() is None


def test_a_restored_meter_reads_what_the_other_would_have():
    first, second = Meter(), Meter()
    first.add(_loss(6.0, 3, 1), 2)
    second.load_state_dict(first.state_dict())
    for meter in (first, second):
        meter.add(_loss(2.0, 1, 0), 1)
    assert first.read() == second.read() == {"loss": 2.0, "correct": 0.25, "count": 4.0}


def test_the_average_follows_the_formula_and_its_decay_rises_with_the_updates():
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 0.0)
    average = Average(model, 0.999)
    nn.init.constant_(model.weight, 11.0)
    average.update(1)  # (1 + 1) / (10 + 1) of what was, which is 0
    assert average.state_dict()["weight"].item() == pytest.approx(11 * 9 / 11)


def test_swapping_the_average_twice_brings_the_weights_back():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = Average(model, 0.9)
    with torch.no_grad():
        model[0].weight.fill_(3.0)
    average.swap()
    assert not torch.equal(model[0].weight, torch.full((2, 2), 3.0))
    with pytest.raises(RuntimeError, match="stands in the model's place"):
        average.state_dict()
    average.swap()
    assert torch.equal(model[0].weight, torch.full((2, 2), 3.0))


def test_tied_weights_are_averaged_once():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    assert list(Average(model, 0.9).state_dict()) == ["0.weight"]


def test_the_greater_figure_is_better_where_the_head_says_max():
    selection = Selection(("cider", "max"))
    assert [selection.is_better({"cider": c, "loss": 1.0}, s) for s, c in enumerate([1, 0.5, 1, 2])] == [
        True, False, False, True,
    ]  # fmt: skip
    assert selection.best_step == 3


def test_of_two_equal_figures_the_one_with_the_lower_loss_is_better():
    selection = Selection(("exact_match", "max"))
    losses = [3.0, 2.0, 2.5]
    assert [selection.is_better({"exact_match": 0.0, "loss": loss}, 1) for loss in losses] == [True, True, False]


def test_the_loss_stands_for_a_figure_that_was_not_measured():
    selection = Selection(("cider", "max"))
    assert selection.is_better({"loss": 2.0}, 1)
    assert selection.is_better({"loss": 1.0}, 2)


def test_a_loss_that_is_no_number_is_never_better():
    selection = Selection(("loss", "min"))
    assert selection.is_better({"loss": 2.0}, 1)
    assert not selection.is_better({"loss": float("nan")}, 2)


def test_the_patience_ends_after_so_many_validations_without_a_better_one():
    selection = Selection(("loss", "min"), patience=2)
    for step, loss in enumerate([2.0, 3.0]):
        selection.is_better({"loss": loss}, step)
    assert not selection.exhausted
    selection.is_better({"loss": 2.5}, 3)
    assert selection.exhausted


def test_restored_randomness_draws_the_same_from_every_source():
    random_state.seed_all(7)
    state = random_state.capture()
    first = random.random(), float(np.random.rand()), torch.rand(3).tolist()
    random_state.seed_all(8)
    random_state.restore(state)
    assert (random.random(), float(np.random.rand()), torch.rand(3).tolist()) == first
