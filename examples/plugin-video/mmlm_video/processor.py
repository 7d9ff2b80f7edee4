"""The processor of films, on top of any image encoder's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from mmlm_core.interfaces import Processor
from mmlm_video.reading import load_frames

__all__ = ["FilmProcessor"]

STRIP = 96
"""Pixels of a frame's height in a report."""


class FilmProcessor(Processor):
    """Takes frames evenly from a film and gives them to the image encoder's processor; batches are padded with blanks.

    Args:
        pictures: The image encoder's processor.
        frames: Frames of a film at most.
    """

    def __init__(self, pictures: Processor, frames: int) -> None:
        self.pictures = pictures
        self.frames = frames

    def process(self, item: Any) -> dict[str, Tensor]:
        """Return what the image processor makes of each frame.

        Shape: each tensor [F, ...], F at most `frames`.
        """
        made = [self.pictures.process(frame) for frame in load_frames(item, self.frames)]
        return {name: torch.stack([frame[name] for frame in made]) for name in made[0]}

    def blank(self) -> dict[str, Tensor]:
        """Return a film of one blank frame."""
        return {name: tensor.unsqueeze(0) for name, tensor in self.pictures.blank().items()}

    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: torch.Generator | None) -> dict[str, Tensor]:
        """Pad the films to the longest; nothing is random.

        Shape: what the image processor collates, [I, F, ...], and `valid` [I, F], bool.
        """
        del generator
        lengths = [len(next(iter(item.values()))) for item in items]
        longest = max(lengths)
        frames: list[Mapping[str, Tensor]] = []
        for item, length in zip(items, lengths, strict=True):
            frames += [{name: tensor[place] for name, tensor in item.items()} for place in range(length)]
            frames += [self.pictures.blank()] * (longest - length)
        made = self.pictures.collate(frames, None)
        valid = torch.arange(longest) < torch.tensor(lengths).unsqueeze(1)
        shaped = {name: tensor.view(len(items), longest, *tensor.shape[1:]) for name, tensor in made.items()}
        return {**shaped, "valid": valid}

    def picture(self, item: Any) -> Image.Image:
        """Return the frames side by side, for reports."""
        frames = load_frames(item, min(self.frames, 6))
        small = [frame.resize((max(1, STRIP * frame.width // frame.height), STRIP)) for frame in frames]
        strip = Image.new("RGB", (sum(frame.width + 2 for frame in small) - 2, STRIP), "white")
        left = 0
        for frame in small:
            strip.paste(frame, (left, 0))
            left += frame.width + 2
        return strip
