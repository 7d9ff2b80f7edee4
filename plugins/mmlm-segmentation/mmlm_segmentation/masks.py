"""Masks as pictures: a number for each pixel, in a palette that a person can tell apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmlm_core.errors import DataError
from mmlm_core.media import load_stored, picture_url

__all__ = ["Numbers", "load_mask", "mask_url", "palette"]

Numbers = NDArray[np.int32]
"""The number of each pixel. Shape: [height, width]."""

MODES = ("1", "L", "P", "I", "I;16", "I;16L", "I;16B")
"""The modes of PIL whose pixels are one whole number."""
FEW = 256
"""How many colours a palette has."""


def load_mask(target: Any) -> Numbers:
    """Return the numbers of a mask.

    Args:
        target: A picture of one channel, gray or with a palette: a path, the bytes of a file, a mapping with `bytes` or
            `path`, what `mask_url` returned, a PIL picture, or an array of whole numbers of shape [height, width].

    Raises:
        DataError: It cannot be read, has colours in place of numbers, or was compressed with a loss.
    """
    if isinstance(target, np.ndarray):
        if target.ndim != 2 or target.dtype.kind not in "bui" or not target.size:
            raise DataError("A mask must be an array [height, width] of whole numbers, not "
                            f"{list(target.shape)} of {target.dtype}.")  # fmt: skip
        return target.astype(np.int32)
    picture = load_stored(target)
    if picture.format == "JPEG":
        raise DataError("The mask is a JPEG, which changes numbers at the borders of areas: store it as a PNG.")
    if picture.mode not in MODES:
        raise DataError("The mask must have one channel, gray or with a palette, whose numbers are the classes; it has "
                        f"colours ({picture.mode}).")  # fmt: skip
    return np.asarray(picture).astype(np.int32)


def mask_url(numbers: Numbers) -> str:
    """Return a mask as text: a PNG in a data URL, with the palette of Pascal VOC; 16 bit gray beyond 255.

    A browser shows it, and `load_mask` gives the numbers back.
    """
    most = int(numbers.max(initial=0))
    if most >= FEW:
        return picture_url(Image.fromarray(numbers.astype(np.uint16)))
    picture = Image.fromarray(numbers.astype(np.uint8))
    picture.putpalette(palette()[: 3 * (most + 1)])  # what is not used would be most of a small mask's bytes
    return picture_url(picture)


def palette() -> bytes:
    """Return the colours of Pascal VOC's masks: 0 is black, 1 dark red, 2 dark green; three bytes each, 256 of them."""
    numbers = np.arange(FEW)
    colours = np.zeros((FEW, 3), np.uint8)
    for bit in range(8):  # of each triple of bits one goes to each channel, the lowest triple to the highest bit
        for channel in range(3):
            colours[:, channel] |= ((numbers >> 3 * bit + channel & 1) << 7 - bit).astype(np.uint8)
    return colours.tobytes()
