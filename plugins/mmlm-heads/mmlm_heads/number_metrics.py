"""How near numbers are to others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["number_metrics"]


def number_metrics(given: Sequence[Sequence[float]], wanted: Sequence[Sequence[float]]) -> dict[str, float]:
    """Return `mae`, `rmse`, `r2`, `pearson` and `spearman`; of several numbers a row, the mean over the numbers.

    R2 is the share of the variance that is explained, 1 at most, below 0 where the mean would be nearer. A correlation
    with what does not vary is 0, and so is R2; of fewer than two rows there are none of the three.

    Args:
        given: The predicted numbers of each row, at least one row.
        wanted: The true ones.
    """
    ours, theirs = np.asarray(given, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    errors = ours - theirs
    measured = {"mae": np.abs(errors).mean(0), "rmse": np.sqrt(np.square(errors).mean(0))}
    if len(ours) > 1:
        columns = list(zip(ours.T, theirs.T, strict=True))
        measured |= {
            "r2": np.array([_explained(*pair) for pair in columns]),
            "pearson": np.array([_correlation(*pair) for pair in columns]),
            "spearman": np.array([_correlation(_ranks(one), _ranks(other)) for one, other in columns]),
        }
    return {name: float(values.mean()) for name, values in measured.items()}


def _explained(given: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    spread = float(np.square(wanted - wanted.mean()).sum())
    return 1 - float(np.square(given - wanted).sum()) / spread if spread > 0 else 0.0


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if np.ptp(one) > 0 and np.ptp(other) > 0 else 0.0


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each value's rank; equal ones share the mean of theirs."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(values), dtype=np.float64)
