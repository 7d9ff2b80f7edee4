"""What a schedule keeps."""

from __future__ import annotations

from mmlm_core.testing.contracts.common import ComponentContract

__all__ = ["ScheduleContract"]


class ScheduleContract(ComponentContract):
    """A factor from 0 to 1."""

    def test_its_factor_lies_between_0_and_1(self) -> None:
        """Over a training of 100 steps, the ends included, and it is above 0 somewhere."""
        schedule = self.make()
        factors = [schedule.factor(step, step / 100) for step in range(101)]
        assert all(0 <= factor <= 1 for factor in factors) and max(factors) > 0.5
