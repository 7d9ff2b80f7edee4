"""Tables of positions: rotary angles and sinusoids."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["PositionTable", "prepare", "rotate", "rotations", "sinusoids"]


class PositionTable(nn.Module):
    """A table of one vector a position, which grows as longer sequences come. It is no parameter and is not saved.

    Args:
        width: Of the vectors; even.
        base: The slowest wave is about this many times as long as the fastest.
        rotary: Hold the angles' cosines and sines as pairs (for `rotate`), instead of sinusoids to add.
    """

    table: Tensor

    def __init__(self, width: int, base: float, rotary: bool) -> None:
        super().__init__()
        self.width, self.base, self.rotary = width, base, rotary
        self.register_buffer("table", self._make(64, torch.empty(())), persistent=False)

    def forward(self, positions: slice | Tensor, longest: int) -> Tensor:
        """Return the positions' vectors.

        Args:
            positions: A slice, or positions by row. Shape: [B, T].
            longest: An upper bound of the positions.

        Shape: -> [T, ...] for a slice, [B, T, ...] for a tensor.
        """
        if longest > self.table.shape[0]:
            self.table = self._make(2 ** (longest - 1).bit_length(), self.table)
        return self.table[positions]

    def _make(self, length: int, like: Tensor) -> Tensor:
        make = rotations if self.rotary else sinusoids
        with torch.inference_mode(False):  # a table that grows in a generation serves a later training step too
            return make(length, self.width, self.base, like.device).to(like.dtype)


def _angles(length: int, width: int, base: float, device: torch.device) -> Tensor:
    waves = base ** (torch.arange(0, width, 2, device=device, dtype=torch.float64) / -width)
    return torch.outer(torch.arange(length, device=device, dtype=torch.float64), waves)


def rotations(length: int, width: int, base: float, device: torch.device) -> Tensor:
    """Return cosine and sine of each position's angles, one for each pair of values.

    Shape: -> [length, width / 2, 2].
    """
    angles = _angles(length, width, base, device)
    return torch.stack((angles.cos(), angles.sin()), -1).float()


def sinusoids(length: int, width: int, base: float, device: torch.device) -> Tensor:
    """Return the positions' sinusoids (Vaswani et al. 2017): sines at even places, cosines at odd ones.

    Shape: -> [length, width].
    """
    angles = _angles(length, width + width % 2, base, device)
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(-2)[:, :width].float()


def prepare(turns: Tensor) -> Tensor:
    """Return cosines and sines as `rotate` takes them, once for all layers.

    They are complex numbers on a CPU, where one complex product is three times as fast as the same in real numbers,
    forward and backward.

    Shape: [T, D / 2, 2] -> [T, 1, D / 2] complex, or [T, 1, D / 2, 2]; with rows before T where there are.
    """
    turns = turns.unsqueeze(-3)
    if turns.device.type == "cpu" and not torch.compiler.is_compiling():
        return torch.view_as_complex(turns.float())
    return turns


def rotate(vectors: Tensor, turns: Tensor) -> Tensor:
    """Turn each pair of neighbouring values by its angle (rotary positions, Su et al. 2021).

    Args:
        vectors: Shape: [B, T, H, D].
        turns: What `prepare` returned.

    Shape: -> [B, T, H, D].
    """
    pairs = vectors.view(*vectors.shape[:-1], -1, 2)
    if turns.is_complex():
        turned = torch.view_as_real(torch.view_as_complex(pairs.float()) * turns)
    else:
        x, y = pairs.unbind(-1)
        cos, sin = turns.unbind(-1)
        turned = torch.stack((x * cos - y * sin, x * sin + y * cos), -1)
    return turned.view(vectors.shape).to(vectors.dtype)
