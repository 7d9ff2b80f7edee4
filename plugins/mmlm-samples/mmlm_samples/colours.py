"""Which colours a small picture on white shows, by a stated rule over its pixels."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["PLAIN", "SHOWN", "shares"]

PLAIN = ("red", "orange", "yellow", "green", "blue", "purple", "gray", "black")
"""The colours that a picture can be mostly of. White is none of them: it is the ground; few are pink or brown."""

SHOWN = ("red", "yellow", "green", "blue", "purple")
"""The colours of which it is certain, too, where a picture has nothing of them."""

CHUNK = 512

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


def shares(pictures: Sequence[bytes]) -> tuple[Floats, Floats]:
    """Return which share of what is drawn in each picture surely has each colour, and which share may have it.

    What is drawn is each pixel but those of the ground: near-white ones (250 of 255 and more in each channel) that see
    an edge of the picture, straight up, down, left or right, through near-white ones alone. White inside a drawing so
    counts as drawn, and as no colour. A pixel near the border of two colours is surely of neither; so the sure shares
    add up to 1 at most, and a large one is beyond doubt.

    Shape: [pictures, len(PLAIN)] and [pictures, len(SHOWN)].

    Args:
        pictures: PNG files, all of one size.
    """
    parts = [_shares(pictures[start : start + CHUNK]) for start in range(0, len(pictures), CHUNK)]
    if not parts:
        return np.zeros((0, len(PLAIN)), np.float32), np.zeros((0, len(SHOWN)), np.float32)
    sure, possible = zip(*parts, strict=True)
    return np.concatenate(sure), np.concatenate(possible)


def _shares(pictures: Sequence[bytes]) -> tuple[Floats, Floats]:
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")) for picture in pictures])
    drawn = ~_ground(pixels.min(axis=3) >= 250)
    size = np.maximum(drawn.sum(axis=(1, 2)), 1)[:, None].astype(np.float32)
    sure, possible = _named(pixels.astype(np.float32) / np.float32(255))
    shared = [(named & drawn).sum(axis=(2, 3)).T.astype(np.float32) / size for named in (sure, possible)]
    return shared[0], shared[1]


def _ground(white: Bools) -> Bools:
    """Return the white pixels that see an edge. Shape: [N, H, W], as that of the white ones."""
    seen = np.zeros_like(white)
    for axis in (1, 2):
        seen |= np.logical_and.accumulate(white, axis=axis)
        seen |= np.flip(np.logical_and.accumulate(np.flip(white, axis), axis=axis), axis)
    return seen


def _named(pixels: Floats) -> tuple[Bools, Bools]:
    """Return for each colour which pixels surely have it, and for each of `SHOWN` which may have it.

    By hue (degrees), saturation and value of the HSV model, with gaps between neighbours.

    Shape: [N, H, W, 3], from 0 to 1, to [len(PLAIN), N, H, W] and [len(SHOWN), N, H, W].
    """
    hue, saturation, value = _hsv(pixels)
    sure = {
        "red": ((hue <= 12) | (hue >= 345)) & (saturation >= 0.62) & (value >= 0.6),
        "orange": (hue >= 26) & (hue <= 37) & (saturation >= 0.75) & (value >= 0.88),
        "yellow": (hue >= 41) & (hue <= 62) & (saturation >= 0.5) & (value >= 0.8),
        "green": (hue >= 75) & (hue <= 160) & (saturation >= 0.35) & (value >= 0.3),
        "blue": (hue >= 190) & (hue <= 238) & (saturation >= 0.4) & (value >= 0.4),
        "purple": (hue >= 258) & (hue <= 300) & (saturation >= 0.4) & (value >= 0.45),
        "gray": (saturation <= 0.16) & (value >= 0.4) & (value <= 0.85),
        "black": (value <= 0.22) | ((value <= 0.3) & (saturation <= 0.3)),
    }
    strong = (saturation >= 0.2) & (value >= 0.2)
    possible = {
        "red": ((hue <= 26) | (hue >= 310)) & strong & ((hue >= 310) | (hue <= 16) | (saturation >= 0.7)),
        "yellow": (hue >= 33) & (hue <= 80) & strong,
        "green": (hue >= 60) & (hue <= 192) & strong,
        "blue": (hue >= 165) & (hue <= 262) & strong,
        "purple": (hue >= 230) & (hue <= 335) & strong,
    }
    return np.stack([sure[colour] for colour in PLAIN]), np.stack([possible[colour] for colour in SHOWN])


def _hsv(pixels: Floats) -> tuple[Floats, Floats, Floats]:
    """Return hue (degrees), saturation and value. Shape: [N, H, W, 3] to three times [N, H, W]."""
    value = pixels.max(axis=3)
    spread = value - pixels.min(axis=3)
    red, green, blue = np.moveaxis(pixels, 3, 0)
    safe = np.maximum(spread, np.float32(1e-6))
    hue = np.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4)
    hue = np.where(value == red, (green - blue) / safe % 6, hue) * np.float32(60)
    return hue, spread / np.maximum(value, np.float32(1e-6)), value
