"""The small things that the contracts try components with: texts, pictures, features, a tokenizer."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from mmlm_core.interfaces import Tokenizer
from mmlm_core.types import Features

__all__ = ["TEXTS", "Characters", "features", "padded", "pictures"]

TEXTS = ["a red apple", "cat", "我爱吃苹果", "two cats and a dog, running", "Ünïcode — «quoted»"]


class Characters(Tokenizer):
    """A tokenizer of the code points below 127 (others are unknown), with nothing to train; for contracts only."""

    vocabulary = 132
    pad, begin, end, unknown, mask = 127, 128, 129, 130, 131

    def encode(self, item: Any) -> list[int]:
        """Return code points."""
        return [ord(character) if ord(character) < 127 else self.unknown for character in item]

    def offsets(self, item: Any) -> list[tuple[int, int]]:
        """Return each character's place."""
        return [(place, place + 1) for place in range(len(item))]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the characters."""
        return "".join(chr(code) for code in ids if code < 127)

    def train(self, corpus: Any) -> None:
        """Do nothing."""

    def save(self, folder: Path) -> None:
        """Do nothing."""

    def load(self, folder: Path) -> None:
        """Do nothing."""


def pictures() -> list[bytes]:
    """Return PNG files of three sizes and contents, made by code."""
    from PIL import Image

    made = []
    for index, size in enumerate([(32, 32), (48, 40), (33, 64)]):
        picture = Image.linear_gradient("L").resize(size).rotate(90 * index)
        picture = Image.merge("RGB", (picture, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT), picture))
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        made.append(buffer.getvalue())
    return made


def features(rows: int, length: int, width: int, lengths: Sequence[int] | None = None, seed: int = 0) -> Features:
    """Return random features; with `lengths`, a mask of as many valid positions in each row, padding behind."""
    values = torch.randn(rows, length, width, generator=torch.Generator().manual_seed(seed))
    if lengths is None:
        return Features(values)
    return Features(values, torch.arange(length) < torch.tensor(lengths).unsqueeze(1))


def padded(part: Features, more: int) -> Features:
    """Return features with something loud where the mask is False, and more of it behind."""
    rows, _, width = part.values.shape
    values = torch.where(part.valid.unsqueeze(-1), part.values, 100.0)
    valid = torch.cat([part.valid, torch.zeros(rows, more, dtype=torch.bool)], 1)
    return Features(torch.cat([values, torch.full((rows, more, width), 100.0)], 1), valid)
