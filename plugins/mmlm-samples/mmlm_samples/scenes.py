"""Paints a scene: cut-out drawings on a cluttered ground, and whose each pixel is."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

__all__ = ["Cutout", "paint", "png"]

SIDES = (0.34, 0.56)
"""The sides of a drawing, as shares of the scene's."""
TRIES = 20
"""Places that are tried for a drawing; the one that hides least is taken."""
SHAPES = (8, 16)
"""How many shapes clutter a ground."""
NOISE = 6.0
"""Standard deviation of the noise of a ground, of 255."""

Bytes = npt.NDArray[np.uint8]
Box = tuple[int, int, int]


@dataclass(frozen=True)
class Cutout:
    """A drawing, ready to be laid on any ground.

    Attributes:
        ink: Its colours, each times how opaque it is. Shape: [height, width, 3].
        alpha: How opaque each pixel is. Shape: [height, width].
    """

    ink: Bytes
    alpha: Bytes

    @classmethod
    def of(cls, picture: bytes, alpha: bytes) -> Cutout:
        """Cut a drawing out of the white that it was drawn on.

        Args:
            picture: PNG, on white.
            alpha: PNG, how opaque each pixel of the drawing is.
        """
        whole, opaque = (np.asarray(Image.open(io.BytesIO(content))) for content in (picture, alpha))
        return cls(np.maximum(whole, 255 - opaque[..., None]) - (255 - opaque[..., None]), opaque)

    def resized(self, side: int) -> npt.NDArray[np.float32]:
        """Return ink and alpha at another size. Shape: [side, side, 4]."""
        # PIL resizes such colours as they are, so that no ground shines through at the edges.
        layer = Image.fromarray(np.dstack([self.ink, self.alpha]), "RGBa")
        return np.asarray(layer.resize((side, side), Image.Resampling.BILINEAR), np.float32)


def paint(cutouts: Sequence[Cutout], size: int, random: np.random.Generator) -> tuple[Bytes, Bytes]:
    """Return a scene, and the number of the drawing, from 1, that each pixel shows; 0 is the ground.

    Args:
        cutouts: The drawings; later ones may hide a little of earlier ones.
        size: Pixels of a side.
        random: The only source of randomness.

    Shape: [size, size, 3] and [size, size].
    """
    scene = _ground(size, random)
    owners = np.zeros((size, size), np.uint8)
    boxes: list[Box] = []
    for number, cutout in enumerate(cutouts, 1):
        tried = _places(size, random, TRIES if boxes else 1)
        top, left, side = min(tried, key=lambda box: sum(_shared(box, other) for other in boxes))
        boxes.append((top, left, side))
        layer = cutout.resized(side)
        place = np.s_[top : top + side, left : left + side]
        alpha = layer[..., 3:]
        scene[place] = layer[..., :3] + scene[place] * (1 - alpha / 255)
        owners[place][alpha[..., 0] >= 128] = number
    return scene.clip(0, 255).round().astype(np.uint8), owners


def png(pixels: Bytes) -> bytes:
    """Return pixels as a PNG whose data is stored, not deflated: it is written and read at once."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


def _ground(size: int, random: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return a gradient of two colours, shapes of all colours on it, and noise. Shape: [size, size, 3]."""
    start, end = random.uniform(0, 255, (2, 3))
    angle = random.uniform(0, 2 * np.pi)
    down, across = np.mgrid[0:size, 0:size] / size - 0.5
    share = ((np.cos(angle) * across + np.sin(angle) * down) / np.sqrt(2) + 0.5)[..., None]
    picture = Image.fromarray((start + share * (end - start)).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    count = random.integers(*SHAPES)
    kinds, colours = random.integers(0, 4, count).tolist(), random.integers(0, 256, (count, 3)).tolist()
    corners = random.integers(-size // 8, size + size // 8, (count, 3, 2)).tolist()
    for kind, colour, ((x, y), (other_x, other_y), third) in zip(kinds, map(tuple, colours), corners, strict=True):
        box = [min(x, other_x), min(y, other_y), max(x, other_x), max(y, other_y)]
        path = [(x, y), (other_x, other_y), tuple(third)]
        if kind == 0:
            draw.ellipse(box, fill=colour)
        elif kind == 1:
            draw.rectangle(box, outline=colour, width=max(1, size // 32))
        elif kind == 2:
            draw.polygon(path, fill=colour)
        else:
            draw.line(path, fill=colour, width=max(1, size // 24))
    return np.asarray(picture, np.float32) + random.normal(0, NOISE, (size, size, 1)).astype(np.float32)


def _places(size: int, random: np.random.Generator, count: int) -> list[Box]:
    """Return top, left and side of some places within the scene."""
    least, most = SIDES
    sides = ((least + (most - least) * random.random(count)) * size).astype(int)
    corners = (random.random((2, count)) * (size - sides + 1)).astype(int)
    return list(zip(*corners.tolist(), sides.tolist(), strict=True))


def _shared(one: Box, other: Box) -> int:
    """Return the pixels that two places share."""
    sides = [min(one[k] + one[2], other[k] + other[2]) - max(one[k], other[k]) for k in (0, 1)]
    return max(0, sides[0]) * max(0, sides[1])
