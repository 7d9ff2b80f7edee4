"""Reads an item of the modality `NEWMODALITY`: this is the place to read your own files."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

import numpy as np
from mmlm_core.errors import DataError
from numpy.typing import NDArray

__all__ = ["read"]


def read(item: Any, channels: int) -> NDArray[np.float32]:
    """Return an item as an array of numbers.

    Args:
        item: A list of positions, each a list of numbers; an array; or the path of a `.npy` file.
        channels: Numbers of a position.

    Raises:
        DataError: It is none of these, or its numbers are not as many, or not finite.

    Shape: [positions, channels].
    """
    name = f"`{fspath(item)}`" if isinstance(item, str | PathLike) else "An item of `NEWMODALITY`"
    try:
        found = np.load(item, allow_pickle=False) if isinstance(item, str | PathLike) else np.asarray(item)
        array = np.array(found, dtype=np.float32)  # a copy: torch must not write into the caller's
    except Exception as error:  # on a broken file, numpy raises errors of several kinds
        raise DataError(f"{name} cannot be read as an array of numbers: {error}.") from error
    if array.ndim != 2 or array.shape[1] != channels or len(array) == 0:
        shape = " x ".join(map(str, array.shape)) or "a single number"
        raise DataError(f"{name} must have positions of {channels} numbers (`channels`) each; its shape is {shape}.")
    if not np.isfinite(array).all():
        raise DataError(f"{name} must have finite numbers only.")
    return array
