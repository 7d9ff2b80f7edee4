"""What a schedule keeps."""

from __future__ import annotations

from typing import Any

from mmlm_core.testing.contracts.common import ComponentContract

__all__ = ["ScheduleContract"]

LENGTHS = (3, 100, 100_000)
"""Steps of the trainings that are tried."""


class ScheduleContract(ComponentContract):
    """A factor from 0 to 1."""

    def made(self) -> Any:
        """Return the factor at some places of each training."""
        schedule = self.make()
        return {str(place): schedule.factor(*place) for steps in LENGTHS for place in _places(steps)}

    def test_its_factor_lies_between_0_and_1(self) -> None:
        """Over a short, a usual and a long training, the ends included, and it is above a half somewhere."""
        schedule = self.make()
        for steps in LENGTHS:
            factors = {place: schedule.factor(*place) for place in _places(steps)}
            for (step, progress), factor in factors.items():
                assert 0 <= factor <= 1, (
                    f"{self.called} gives a factor of {factor} at step {step}, progress {progress:.2f}: it must lie "
                    "from 0 to 1, since `lr` is the peak. Clamp it, and mind both ends."
                )
            assert steps < 100 or max(factors.values()) > 0.5, (
                f"{self.called} stays at or below {max(factors.values())} over a training of {steps} steps: its peak "
                "must be 1, since the optimizer's `lr` is the peak."
            )

    def test_its_factor_depends_on_step_and_progress_alone(self) -> None:
        """Asked again, in another order, or by a resumed run, it answers the same."""
        schedule = self.make()
        places = _places(100)
        forwards = {place: schedule.factor(*place) for place in places}
        backwards = {place: schedule.factor(*place) for place in reversed(places)}
        fresh = {place: self.make().factor(*place) for place in places}
        for place, factor in forwards.items():
            assert factor == backwards[place] == fresh[place], (
                f"{self.called} gives two factors at step {place[0]}, {factor} and {backwards[place]}: it must follow "
                "from step and progress alone, and keep nothing between calls, or a resumed run goes on differently."
            )


def _places(steps: int) -> list[tuple[int, float]]:
    """Return step and progress at about a hundred places of a training."""
    return [(step, step / steps) for step in sorted({*range(0, steps + 1, max(steps // 100, 1)), 1, steps - 1, steps})]
