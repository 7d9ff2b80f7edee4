"""What a projection keeps."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from mmlm_core.testing.contracts.checks import same
from mmlm_core.testing.contracts.common import features
from mmlm_core.testing.contracts.module import ModuleContract, pull
from mmlm_core.types import Features

__all__ = ["ProjectionContract"]

WIDTHS = {"to another width": 24, "to the same width": 16}


class ProjectionContract(ModuleContract):
    """Features of one width to another."""

    def modules(self, seed: int = 0) -> dict[str, nn.Module]:
        """See `ModuleContract.modules`."""
        return {way: self.make(seed=seed, input_width=16, output_width=width) for way, width in WIDTHS.items()}

    def results(self, module: nn.Module, seed: int = 0) -> list[Tensor]:
        """See `ModuleContract.results`; the last item has no valid position."""
        return [self.valid(module(features(3, 9, 16, [9, 4, 0], seed)))]

    def test_it_gives_the_width_that_it_was_wired_for(self) -> None:
        """Also where both widths are the same."""
        for way, width in WIDTHS.items():
            projected = self.practised(way)(features(2, 9, 16, [9, 4]))
            shape = tuple(projected.values.shape)
            assert len(shape) == 3 and (shape[0], shape[2]) == (2, width), (
                f"{self.named(way)} gives values of shape {shape} for 2 items: they must be [2, T, {width}], where "
                f"{width} is the `output_width` that it is built with."
            )
            assert projected.values.isfinite().all(), f"{self.named(way)} gives values that are not finite."
            grid = projected.grid
            assert grid is None or grid[0] * grid[1] == shape[1], (
                f"{self.named(way)} keeps a grid of {grid} for {shape[1]} positions: drop it where it no longer holds."
            )

    def test_it_keeps_the_mask(self) -> None:
        """Where it keeps the positions, the mask and the tokens are theirs; padding changes nothing in any case."""
        for way in WIDTHS:
            projection = self.practised(way)
            given = [features(3, length, 16, lengths) for length, lengths in ((9, [9, 4, 1]), (11, [3, 11, 1]))]
            made = [projection(each) for each in given]
            keeps = all(m.values.shape[1] == g.values.shape[1] for m, g in zip(made, given, strict=True))
            assert not keeps or all(torch.equal(m.valid, g.valid) for m, g in zip(made, given, strict=True)), (
                f"{self.named(way)} forgets the mask: return `features.with_values(...)`, which keeps mask, grid and "
                "rate, and not `Features(...)` of the values alone."
            )
            ids = torch.arange(27).view(3, 9)
            kept = projection(replace(given[0], ids=ids)).ids
            assert not keeps or (kept is not None and torch.equal(kept, ids)), (
                f"{self.named(way)} forgets which tokens its positions stand for: return `features.with_values(...)`."
            )
            for row, length in enumerate((9, 4, 1)):
                noisy = torch.where(given[0].valid.unsqueeze(-1), given[0].values, 50.0)
                padded = projection(given[0].with_values(noisy))
                alone = projection(Features(given[0].values[row : row + 1, :length]))
                ours, theirs = padded.values[row][padded.valid[row]], alone.values[0][alone.valid[0]]
                assert len(ours) == len(theirs), (
                    f"{self.named(way)} gives an item of {length} positions {len(theirs)} alone and {len(ours)} where "
                    "it is padded to 9: it forgets the mask. Make a mask of the positions that it returns out of "
                    "`features.valid`."
                )
                assert same(ours, theirs), (
                    f"{self.named(way)} lets padding reach valid positions: mask what `features.valid` says is none."
                )

    def test_gradients_reach_what_came_before(self) -> None:
        """The encoder in front of it learns."""
        for way in WIDTHS:
            projection = self.practised(way)
            given = features(2, 9, 16, [9, 4])
            values = given.values.requires_grad_()
            projected = projection(given)
            loss = pull([projected.values[projected.valid]])
            reached = loss.requires_grad and torch.autograd.grad(loss, values, allow_unused=True)[0] is not None
            assert reached, (
                f"{self.named(way)} sends no gradient back to the encoder: leave out `detach` and `no_grad`."
            )
