"""What the projections that change the number of positions compute."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from mmlm_core.errors import OptionError
from mmlm_core.types import Features
from mmlm_fusion.options import PerceiverOptions, PixelShuffleOptions, PoolOptions
from mmlm_fusion.perceiver import Perceiver
from mmlm_fusion.pixel_shuffle import PixelShuffle
from mmlm_fusion.pool import Pool


def plain(pool: Pool) -> Pool:
    """Return the projection with a map that changes nothing."""
    torch.nn.init.eye_(pool.map.weight)
    torch.nn.init.zeros_(pool.map.bias)
    return pool


def test_a_pool_of_one_is_the_mean_of_the_valid_positions() -> None:
    values = torch.randn(2, 5, 8)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    pooled = plain(Pool(PoolOptions(positions=1), input_width=8, output_width=8))(Features(values, mask))
    torch.testing.assert_close(pooled.values[:, 0], torch.stack([values[0].mean(0), values[1, :2].mean(0)]))


@pytest.mark.parametrize("length", [3, 7, 12])
def test_a_pool_of_several_is_torchs_adaptive_average(length: int) -> None:
    values = torch.randn(2, length, 8)
    pooled = plain(Pool(PoolOptions(positions=4), input_width=8, output_width=8))(Features(values))
    expected = functional.adaptive_avg_pool1d(values.transpose(1, 2), 4).transpose(1, 2)
    torch.testing.assert_close(pooled.values, expected)
    assert pooled.mask is None


def test_pixel_shuffle_is_torchs_pixel_unshuffle_before_its_map() -> None:
    projection = PixelShuffle(PixelShuffleOptions(factor=2), input_width=3, output_width=12)
    projection.norm = torch.nn.Identity()
    torch.nn.init.eye_(projection.map.weight)
    torch.nn.init.zeros_(projection.map.bias)
    picture = torch.randn(2, 3, 4, 6)
    shuffled = projection(Features(picture.flatten(2).transpose(1, 2), grid=(4, 6)))
    expected = functional.pixel_unshuffle(picture, 2).unflatten(1, (3, 4)).transpose(1, 2).flatten(1, 2)
    assert shuffled.grid == (2, 3)
    torch.testing.assert_close(shuffled.values, expected.flatten(2).transpose(1, 2))


def test_pixel_shuffle_fills_an_edge_and_stacks_frames_in_a_row() -> None:
    projection = PixelShuffle(PixelShuffleOptions(factor=2), input_width=3, output_width=5)
    odd = projection(Features(torch.randn(1, 15, 3), grid=(3, 5)))
    assert (odd.grid, odd.values.shape) == ((2, 3), (1, 6, 5))
    frames = projection(Features(torch.randn(1, 10, 3), rate=50.0))
    assert (frames.rate, frames.values.shape) == (12.5, (1, 3, 5))


def test_a_perceiver_reads_a_set_and_gives_as_many_positions_for_each_item() -> None:
    projection = Perceiver(PerceiverOptions(positions=3, heads=2), input_width=6, output_width=8)
    values = torch.randn(2, 7, 6)
    read = projection(Features(values)).values
    assert read.shape == (2, 3, 8)
    torch.testing.assert_close(projection(Features(values[:, torch.randperm(7)])).values, read)
    other = values.clone()
    other[0, 2] += 1.0
    assert not torch.allclose(projection(Features(other)).values[0], read[0])


def test_heads_that_do_not_divide_the_width_are_told() -> None:
    with pytest.raises(OptionError, match=r"`projection\.heads` must divide the backbone's width, 8; 3 does not"):
        Perceiver(PerceiverOptions(heads=3), input_width=6, output_width=8)
