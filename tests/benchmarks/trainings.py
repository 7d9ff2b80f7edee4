"""One training through the whole of mmlm, timed from its n-th to its m-th step, for the benchmarks."""

import tempfile
import time

from torch.optim.optimizer import register_optimizer_step_post_hook

import mmlm_core
from mmlm_core.preparation import Preparation, prepare
from mmlm_core.runs import create_run
from mmlm_core.training.session import Session

QUIET = ["trainer.progress=false", "tracker.wandb=off", "trainer.validate_rows=0", "trainer.validate_every_epochs=1000"]


def prepared(overrides: list[str]) -> Preparation:
    """Return a composition with its data, tokenizer and model made."""
    return prepare(mmlm_core.compose([*overrides, *QUIET]))


def step_times(session: Session, steps: int) -> list[float]:
    """Train that many steps, and return the time at the end of each; nothing is synchronised or written for it."""
    times: list[float] = []
    session.settings.trainer.max_steps = steps

    def hook(*_: object) -> None:
        times.append(time.perf_counter())

    handle = register_optimizer_step_post_hook(hook)
    try:
        session.run(None)
    finally:
        handle.remove()
    return times


def seconds_a_step(overrides: list[str], steps: int, skip: int = 5, quantile: float = 0.5) -> float:
    """Return the median time (or another quantile) of a step of a training by mmlm, after the first ones."""
    made = prepared(overrides)
    with tempfile.TemporaryDirectory() as folder:
        made.composition.settings.run.folder = folder
        session = Session(create_run(made.composition.settings.run), made)
        times = step_times(session, steps)
    gaps = sorted(b - a for a, b in zip(times[skip:], times[skip + 1 :], strict=False))
    return gaps[int(len(gaps) * quantile)]
