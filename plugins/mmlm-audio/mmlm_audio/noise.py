"""Adds noise to the sounds of a batch, waves and spectrograms alike."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["with_noise"]


def with_noise(values: Tensor, lengths: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Return the sounds with normally distributed noise, each as much as it draws; padding stays as it is.

    Args:
        values: Shape: [I, T] or [I, T, bands].
        lengths: Values, or spectra, of each sound. Shape: [I].
        most: The noise's greatest standard deviation.
        generator: The only source of randomness.
    """
    loud = most * torch.rand(len(lengths), generator=generator)
    valid = torch.arange(values.shape[1]) < lengths.unsqueeze(1)
    share = (loud.unsqueeze(1) * valid).view(*valid.shape, *[1] * (values.ndim - 2))
    return values + share * torch.randn(values.shape, generator=generator)
