"""The data source `motions`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import overload

import av
import numpy as np
from PIL import Image, ImageDraw

from mmlm_core.errors import DataError, did_you_mean, one_of
from mmlm_core.interfaces import DataSource
from mmlm_core.types import Example
from mmlm_video.options import COLOURS, MOTIONS, SHAPES, MotionsOptions, Target

__all__ = ["MotionRows", "MotionsSource", "film"]

SPLITS = ("train", "validation", "test")

_STEPS = {"moving left": (-1, 0), "moving right": (1, 0), "moving up": (0, -1), "moving down": (0, 1)}


class MotionsSource(DataSource):
    """Films of one shape each, before a plain ground; of no motion a single frame tells which it is.

    A film is made when it is read, from the seed, its split and its number alone.

    Args:
        options: The options.
    """

    def __init__(self, options: MotionsOptions) -> None:
        self.options = options

    def splits(self) -> list[str]:
        """Return all three."""
        return list(SPLITS)

    def read(self, split: str) -> Sequence[Example]:
        """Return the rows of a split.

        Raises:
            DataError: There is no such split.
        """
        if split not in SPLITS:
            raise DataError(f"`data=motions` has no split `{split}`.{did_you_mean(split, SPLITS)}{one_of(SPLITS)}")
        return MotionRows(self.options, split, range(self.options.rows // (1 if split == "train" else 10)))


@dataclass(frozen=True)
class MotionRows(Sequence[Example]):
    """Some rows of a split, made as they are asked for."""

    options: MotionsOptions
    split: str
    numbers: range

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Example: ...

    @overload
    def __getitem__(self, place: slice) -> MotionRows: ...

    def __getitem__(self, place: int | slice) -> Example | MotionRows:
        """Return a row, its film as the bytes of an .mp4 file; or, for a slice, some rows."""
        if isinstance(place, slice):
            return replace(self, numbers=self.numbers[place])
        number = self.numbers[place]
        # NumPy promises the same numbers in every later version for this generator alone (NEP 19).
        random = np.random.RandomState([self.options.seed, SPLITS.index(self.split), number])
        motion = MOTIONS[number % len(MOTIONS)]
        shapes = [shape for shape in SHAPES if shape != "circle" or motion != "turning"]
        shape, colour = shapes[random.randint(len(shapes))], list(COLOURS)[random.randint(len(COLOURS))]
        frames = _frames(motion, shape, colour, self.options, random)
        target = motion if self.options.target is Target.label else f"a {colour} {shape} {motion}"
        return Example(f"motions:{self.split}:{number + 1}", {"video": [film(frames)]}, target)


def film(frames: Sequence[Image.Image], rate: int = 12) -> bytes:
    """Return pictures of one size as the bytes of an .mp4 file (MPEG-4 part 2).

    Args:
        frames: The pictures; width and height are even.
        rate: Frames a second.
    """
    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=rate, options={"qscale": "2"})
        stream.width, stream.height = frames[0].size
        stream.pix_fmt, stream.thread_count = "yuv420p", 1
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))  # type: ignore[no-untyped-call]
        container.mux(stream.encode(None))
    return file.getvalue()


def _frames(motion: str, shape: str, colour: str, options: MotionsOptions, random: np.random.RandomState
            ) -> list[Image.Image]:  # fmt: skip
    """Return the frames of a film."""
    count = random.randint(options.frames, 2 * options.frames + 1)
    ground = tuple(int(value) for value in random.randint(200, 256, 3))
    radius, angle = random.uniform(0.14, 0.22), random.uniform(0, 2 * math.pi)
    where = random.uniform(0.35, 0.65, 2)
    way = random.uniform(0.3, 0.55)  # of a side
    turn = random.uniform(0.4, 0.8) * math.pi * (1 if random.randint(2) else -1)
    across, down = _STEPS.get(motion, (0, 0))
    frames = []
    for place in range(count):
        share = place / (count - 1) - 0.5
        grown = {"growing": 2.2**share, "shrinking": 2.2**-share}.get(motion, 1.0)
        centre = where[0] + across * way * share, where[1] + down * way * share
        turned = angle + (turn * share if motion == "turning" else 0.0)
        frames.append(_drawn(shape, COLOURS[colour], ground, centre, radius * grown, turned, 2 * (options.size // 2)))
    return frames


def _drawn(
    shape: str,
    colour: tuple[int, ...],
    ground: tuple[int, ...],
    centre: tuple[float, float],
    radius: float,
    angle: float,
    size: int,
) -> Image.Image:
    """Return one frame: drawn four times as large, so that small motions show."""
    large = Image.new("RGB", (4 * size, 4 * size), ground)
    outline = [(4 * size * (centre[0] + radius * x), 4 * size * (centre[1] + radius * y))
               for x, y in _outline(shape, angle)]  # fmt: skip
    ImageDraw.Draw(large).polygon(outline, fill=colour)
    return large.resize((size, size), Image.Resampling.BOX)


def _outline(shape: str, angle: float) -> list[tuple[float, float]]:
    """Return the corners of a shape of radius 1."""
    if shape == "cross":
        arm = 0.35
        quarter = [(1.0, -arm), (1.0, arm), (arm, arm)]
        corners = [complex(*corner) * 1j**turn for turn in range(4) for corner in quarter]
    else:
        count, inner = {"circle": (48, 1.0), "square": (4, 1.0), "triangle": (3, 1.0), "star": (10, 0.45)}[shape]
        corners = [(inner if place % 2 else 1.0) * complex(math.cos(turn), math.sin(turn))
                   for place in range(count) for turn in [2 * math.pi * place / count]]  # fmt: skip
    turned = [corner * complex(math.cos(angle), math.sin(angle)) for corner in corners]
    return [(corner.real, corner.imag) for corner in turned]
