"""From whatever a data source or a user gives to the coordinates of a cloud's points, checked."""

from __future__ import annotations

from io import BytesIO
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmlm_core.errors import DataError
from mmlm_pointcloud.ply import MAGIC, read_ply

__all__ = ["load_points"]


def load_points(item: Any) -> NDArray[np.float64]:
    """Return the points of a cloud, in the order in which they stand.

    Args:
        item: A path or the bytes of a `.ply` or `.npy` file, a mapping with `bytes` or `path` (as Hugging Face
            `datasets` stores files), an array, a tensor, or nested lists, of N rows of x, y and z.

    Shape: [N, 3], N at least 1.

    Raises:
        DataError: It is no cloud, is cut off, has no points, another shape, or a coordinate that is not finite.
    """
    name = _name(item)
    if isinstance(item, dict):
        item = item.get("bytes") or item.get("path")
    if isinstance(item, str | PathLike):
        try:
            item = Path(item).read_bytes()
        except OSError as error:
            raise DataError(f"{name} cannot be opened: {error.strerror or error}.") from error
    points = _decoded(bytes(item), name) if isinstance(item, bytes | bytearray | memoryview) else _array(item, name)
    if not points.size:
        raise DataError(f"{name} has no points.")
    if points.ndim != 2 or points.shape[1] != 3:
        raise DataError(f"{name} must have the shape N x 3, a row of x, y and z for each point, not "
                        f"{' x '.join(map(str, points.shape)) or 'that of a number'}.{_hint(points)}")  # fmt: skip
    strange = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(strange):
        shown = ", ".join(f"{value:g}" for value in points[strange[0]])
        raise DataError(f"{name} has {len(strange):,} of {len(points):,} points with a coordinate that is not finite; "
                        f"the first is point {strange[0] + 1:,}: {shown}.")  # fmt: skip
    return points


def _name(item: Any) -> str:
    if isinstance(item, dict) and item.get("path"):
        item = item["path"]
    if isinstance(item, str | PathLike):
        return f"`{fspath(item)}`"
    return (
        "a point cloud given as bytes" if isinstance(item, bytes | bytearray | memoryview | dict) else "a point cloud"
    )


def _decoded(content: bytes, name: str) -> NDArray[np.float64]:
    """Return what a file holds; its first bytes say its format, whatever its name is."""
    if not content:
        raise DataError(f"{name} is empty: zero bytes.")
    try:
        if content.startswith(MAGIC):
            return read_ply(content)
        if content.startswith(np.lib.format.MAGIC_PREFIX):
            return _array(np.load(BytesIO(content), allow_pickle=False), name)
    except DataError:
        raise
    except Exception as error:  # on a broken file NumPy raises nearly anything, `MemoryError` too
        raise DataError(f"{name} cannot be read as a point cloud: {str(error).rstrip('.')}.") from error
    raise DataError(f"{name} cannot be read as a point cloud: it is neither PLY nor NumPy's .npy.")


def _array(item: Any, name: str) -> NDArray[np.float64]:
    """Return numbers as an array of float64, whatever its shape."""
    if not hasattr(item, "__array__") and not isinstance(item, list | tuple):
        raise DataError(f"A point cloud must be a path, bytes or an array, not {type(item).__name__}.")
    try:
        array = np.asarray(item)
    except ValueError as error:
        raise DataError(f"{name} has rows of different lengths; each must be x, y and z.") from error
    except Exception as error:  # such as a tensor on another device
        raise DataError(f"{name} cannot be read as an array: {str(error).rstrip('.')}.") from error
    if array.size and not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
        raise DataError(f"{name} must hold real numbers, not the type {array.dtype}.")
    return array.astype(np.float64)


def _hint(points: NDArray[np.float64]) -> str:
    """Return what may have gone wrong, as the end of a message."""
    if points.shape == (3,):
        return " A list of points is several items: put the cloud into a list of its own."
    if points.ndim == 2 and points.shape[0] == 3:
        return " Transposed, it has."
    return " Keep the first three columns." if points.ndim == 2 and points.shape[1] > 3 else ""
