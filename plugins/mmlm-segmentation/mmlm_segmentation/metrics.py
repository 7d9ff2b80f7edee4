"""Metrics of masks, from the pixels of a whole split."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["HALF", "confusion", "measured"]

HALF = 0.5
"""The overlap from which on an area counts as found."""

Table = NDArray[np.int64]
"""Pixels by their class and by the one that was predicted. Shape: [K, K]."""


def confusion(predicted: NDArray[np.int32], wanted: NDArray[np.int32], classes: int) -> Table:
    """Return the pixels of each pair of classes, those alone that are scored (0 and above in `wanted`)."""
    scored = wanted >= 0
    pairs = classes * wanted[scored].astype(np.int64) + predicted[scored]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def measured(tables: Iterable[Table], names: Sequence[str]) -> dict[str, float]:
    """Return `mean_iou`, `pixel_accuracy` and the IoU of each class, over all pixels of all rows.

    The IoU of a class is the pixels that have it and got it, of those that have it or got it (Jaccard); the mean is
    over the classes that any pixel has or got. Of two classes, the second is an area on a ground: then `mean_row_iou`
    is the mean of each row's own IoU of it, and `found_at_50` the share of rows where that is a half and more, as is
    usual of areas that a text refers to.

    Args:
        tables: What `confusion` returned of each row.
        names: Of the classes.
    """
    rows = np.stack(list(tables)) if names else np.zeros((0, 0, 0), np.int64)
    whole = rows.sum(0)
    if not whole.sum():
        return {}
    shares, present = _iou(whole)
    told = {"mean_iou": float(shares[present].mean()), "pixel_accuracy": float(whole.trace() / whole.sum())}
    if len(names) == 2:
        areas, there = zip(*(_iou(row) for row in rows), strict=True)
        own = [float(area[1]) for area, has in zip(areas, there, strict=True) if has[1]]
        if own:
            told["mean_row_iou"] = sum(own) / len(own)
            told["found_at_50"] = sum(area >= HALF for area in own) / len(own)
    return {**told, **{f"iou_{name}": float(shares[place]) for place, name in enumerate(names) if present[place]}}


def _iou(table: Table) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return each class's IoU, and whether any pixel has or got it. Shape: [K] each."""
    both = table.diagonal()
    either = table.sum(0) + table.sum(1) - both
    return both / np.maximum(either, 1), either > 0
