"""One training through the whole of mmlm, timed from its n-th to its m-th step, for the benchmarks."""

import tempfile

from torch.optim.optimizer import register_optimizer_step_post_hook

import mmlm_core
from mmlm_core.preparation import Preparation, prepare
from mmlm_core.runs import create_run
from mmlm_core.training.session import Session
from tests.benchmarks.common import Steps

QUIET = ["trainer.progress=false", "tracker.wandb=off", "trainer.validate_rows=0", "trainer.validate_every_epochs=1000"]


def prepared(overrides: list[str]) -> Preparation:
    """Return a composition with its data, tokenizer and model made."""
    return prepare(mmlm_core.compose([*overrides, *QUIET]))


def step_time(session: Session, steps: int, skip: int, quantile: float) -> float:
    """Train that many steps, and return the time of a typical one; nothing is written for it."""
    times = Steps(steps, skip)
    session.settings.trainer.max_steps = steps
    handle = register_optimizer_step_post_hook(times)
    try:
        session.run(None)
    finally:
        handle.remove()
    return times.typical(quantile)


def seconds_a_step(overrides: list[str], steps: int, skip: int = 5, quantile: float = 0.5) -> float:
    """Return the median time (or another quantile) of a step of a training by mmlm, after the first ones."""
    made = prepared(overrides)
    with tempfile.TemporaryDirectory() as folder:
        made.composition.settings.run.folder = folder
        session = Session(create_run(made.composition.settings.run), made)
        return step_time(session, steps, skip, quantile)
