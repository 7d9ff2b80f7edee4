"""Lengths of padded sounds, and the masks that follow from them."""

from __future__ import annotations

from torch import Tensor, arange

from mmlm_audio.options import WaveConvOptions

__all__ = ["positions_of", "valid"]


def positions_of(samples: Tensor, options: WaveConvOptions) -> Tensor:
    """Return the positions that `wave_conv` makes of so many samples: its convolutions pad nothing."""
    for kernel, stride in zip(options.kernels, options.strides, strict=True):
        samples = (samples - kernel).div(stride, rounding_mode="floor") + 1
    return samples


def valid(lengths: Tensor, size: int) -> Tensor:
    """Return the mask of sounds of these lengths.

    Shape: [I] -> [I, size].
    """
    return arange(size, device=lengths.device) < lengths.unsqueeze(1)
