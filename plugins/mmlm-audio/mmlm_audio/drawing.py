"""Draws a spectrogram as a picture, for reports."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["drawing"]

HEIGHT, WIDEST = 64, 128
"""Pixels of a picture: low tones at the bottom, and the time from left to right."""

RANGE = 9.0
"""Natural logarithm of the power between what is drawn lightest and darkest."""


def drawing(mel: Tensor) -> Any:
    """Return a log-mel spectrogram as an RGB `PIL.Image.Image`, dark where it is loud.

    Args:
        mel: Not normalised. Shape: [T, bands].
    """
    from PIL import Image

    loud = ((mel - mel.max()) / RANGE + 1).clamp(0, 1)
    light = (255 * (1 - loud)).round().to(torch.uint8).t().flip(0).contiguous()
    picture = Image.frombytes("L", (light.shape[1], light.shape[0]), bytes(light.flatten().tolist()))
    return picture.resize((min(WIDEST, max(16, len(mel))), HEIGHT), Image.Resampling.BOX).convert("RGB")
