"""Makes the sounds of a batch faster and slower (Ko et al. 2015), waves and spectrograms alike."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["at_other_speed"]


def at_other_speed(
    values: Tensor, lengths: Tensor, most: float, generator: torch.Generator, least: int = 1
) -> tuple[Tensor, Tensor]:
    """Return the sounds, each at a speed of its own, and their lengths; zeros are behind the shorter ones.

    Between two values of a sound lies a straight line.

    Args:
        values: Shape: [I, T] or [I, T, bands].
        lengths: Values, or spectra, of each sound. Shape: [I].
        most: By which share a sound becomes faster or slower at most (0.1: 0.9 to 1.1 times as fast).
        generator: The only source of randomness.
        least: The least length of a sound.

    Shape: -> [I, T'] or [I, T', bands], [I].
    """
    speeds = 1 + most * (2 * torch.rand(len(lengths), generator=generator) - 1)
    changed = torch.maximum((lengths / speeds).round().long(), lengths.clamp(max=least))
    places = torch.arange(int(changed.max()))
    source = places * ((lengths - 1) / (changed - 1).clamp(min=1)).unsqueeze(1)
    source = torch.minimum(source, (lengths - 1).unsqueeze(1).to(source.dtype))
    low = source.floor().long()
    high = torch.minimum(low + 1, (lengths - 1).unsqueeze(1))
    items = torch.arange(len(lengths)).unsqueeze(1)
    share = (source - low).view(*low.shape, *[1] * (values.ndim - 2)).to(values.dtype)
    made = torch.lerp(values[items, low], values[items, high], share)
    beyond = places >= changed.unsqueeze(1)
    return made.masked_fill(beyond.view(*beyond.shape, *[1] * (values.ndim - 2)), 0), changed
