"""What a projection keeps."""

from __future__ import annotations

from mmlm_core.testing.contracts.common import ComponentContract, features, missing_gradients

__all__ = ["ProjectionContract"]


class ProjectionContract(ComponentContract):
    """Features of one width to another."""

    def test_it_gives_the_width_that_it_was_wired_for(self) -> None:
        """Also where both widths are the same."""
        for width in (16, 24):
            projected = self.make(input_width=16, output_width=width)(features(2, 9, 16, [9, 4]))
            assert projected.values.shape[0] == 2 and projected.values.shape[2] == width
            assert projected.valid.shape == projected.values.shape[:2]

    def test_gradients_reach_every_parameter(self) -> None:
        """Nothing is built that is not used."""
        projection = self.make(input_width=16, output_width=24)
        assert not missing_gradients(projection, projection(features(2, 9, 16)).values.square().sum())
