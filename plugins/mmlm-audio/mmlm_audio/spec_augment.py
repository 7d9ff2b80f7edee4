"""SpecAugment: hides stripes of a batch of spectrograms, and bends their time (Park et al. 2019)."""

from __future__ import annotations

import torch
from torch import Tensor

from mmlm_audio.options import SpecAugmentOptions

__all__ = ["spec_augment"]


def spec_augment(mel: Tensor, lengths: Tensor, options: SpecAugmentOptions, generator: torch.Generator) -> Tensor:
    """Return the spectrograms with their time bent and with stripes of them hidden, each by amounts of its own.

    What is hidden becomes the sound's mean. No sound changes its length.

    Args:
        mel: Shape: [I, T, bands].
        lengths: Spectra of each sound. Shape: [I].
        options: The greatest amounts.
        generator: The only source of randomness.
    """
    items, time, bands = mel.shape
    places = torch.arange(time)
    valid = (places < lengths.unsqueeze(1)).unsqueeze(-1)
    if options.warp:
        mel = _warped(mel, lengths, options.warp, generator)
    mean = mel.masked_fill(~valid, 0).sum((1, 2), keepdim=True) / (lengths * bands).view(-1, 1, 1)
    hidden = torch.zeros(items, time, bands, dtype=torch.bool)
    for _ in range(options.time_masks):
        hidden |= _stripe(time, lengths, options.time_share, generator).unsqueeze(2)
    for _ in range(options.band_masks):
        hidden |= _stripe(bands, torch.full((items,), bands), options.band_share, generator).unsqueeze(1)
    return torch.where(hidden & valid, mean, mel)


def _stripe(size: int, lengths: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return where a stripe lies that is as wide as any up to a share of each length. Shape: [I, size]."""
    drawn = torch.rand(2, len(lengths), generator=generator)
    width = (drawn[0] * (lengths * share + 1)).floor()
    start = (drawn[1] * (lengths - width + 1)).floor()
    places = torch.arange(size)
    return (places >= start.unsqueeze(1)) & (places < (start + width).unsqueeze(1))


def _warped(mel: Tensor, lengths: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Move a moment in the middle part of each sound, and stretch what lies before and behind it."""
    drawn = torch.rand(2, len(lengths), generator=generator)
    last = (lengths - 1).clamp(min=1).float().unsqueeze(1)
    before = last * (share + drawn[0] * (1 - 2 * share)).unsqueeze(1)
    after = before + last * share * (2 * drawn[1] - 1).unsqueeze(1) * 0.999  # so that no stretch is empty
    places = torch.arange(mel.shape[1]).float().expand(len(lengths), -1)
    early = places / after.clamp(min=1e-3) * before
    late = before + (places - after) / (last - after).clamp(min=1e-3) * (last - before)
    source = torch.where(places <= after, early, late).clamp(min=0)
    source = torch.where(places <= last, torch.minimum(source, last), places)
    low = source.floor().long().clamp(max=mel.shape[1] - 1)
    high = (low + 1).clamp(max=mel.shape[1] - 1)
    share_high = (source - low).unsqueeze(-1)
    take = torch.arange(len(lengths)).unsqueeze(1)
    return mel[take, low] * (1 - share_high) + mel[take, high] * share_high
