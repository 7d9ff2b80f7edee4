"""The projection `pixel_shuffle`."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from mmlm_core.interfaces import Projection
from mmlm_core.types import Features
from mmlm_fusion.options import PixelShuffleOptions

__all__ = ["PixelShuffle"]


class PixelShuffle(Projection):
    """Puts neighbouring positions side by side into one wider position, then a linear map.

    Of a grid, squares of `factor` times `factor` positions, as InternVL and Idefics do for their pictures (the inverse
    of Shi et al. 2016); of a sequence without a grid as many in a row, as speech models stack frames. What is missing
    at an edge is zeros.

    Args:
        options: See `PixelShuffleOptions`.
        input_width: D of the features.
        output_width: D of the backbone.
    """

    def __init__(self, options: PixelShuffleOptions, *, input_width: int, output_width: int) -> None:
        super().__init__()
        self.factor = options.factor
        self.norm = nn.LayerNorm(input_width)
        self.map = nn.Linear(self.factor**2 * input_width, output_width)

    def forward(self, features: Features) -> Features:
        """Stack and project.

        Shape: values [I, H * W, D_in] -> [I, ceil(H / factor) * ceil(W / factor), D_out]; without a grid
        [I, T, D_in] -> [I, ceil(T / factor ** 2), D_out].
        """
        grid, window, rate = features.grid, (self.factor, self.factor), None
        if grid is None:
            window = (1, self.factor**2)
            rate = None if features.rate is None else features.rate / window[1]
        places = grid or (1, features.values.shape[1])
        values = self.norm(features.values).masked_fill(~features.valid.unsqueeze(-1), 0.0)
        mask = None if features.mask is None else _stack(features.mask.unsqueeze(-1), places, window).any(-1)
        after = None if grid is None else (-(-grid[0] // self.factor), -(-grid[1] // self.factor))
        return Features(self.map(_stack(values, places, window)), mask, grid=after, rate=rate)


def _stack(values: Tensor, grid: tuple[int, int], window: tuple[int, int]) -> Tensor:
    """Put the positions of each window side by side.

    Shape: [I, H * W, D] -> [I, windows, window positions * D].
    """
    items, _, width = values.shape
    (height, breadth), (down, across) = grid, window
    padded = functional.pad(values.view(items, height, breadth, width), (0, 0, 0, -breadth % across, 0, -height % down))
    rows, columns = padded.shape[1] // down, padded.shape[2] // across
    split = padded.view(items, rows, down, columns, across, width)
    return split.permute(0, 1, 3, 2, 4, 5).reshape(items, rows * columns, down * across * width)
