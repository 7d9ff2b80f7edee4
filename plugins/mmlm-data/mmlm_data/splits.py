"""How rows are divided into splits: by fractions, by groups, by folds; the same on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmlm_core.errors import DataError

__all__ = ["SPLITS", "TEST", "TRAIN", "VALIDATION", "WORDS", "fold_shares", "group_shares", "hashed_shares"]

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")

WORDS = {TRAIN: TRAIN, "training": TRAIN, VALIDATION: VALIDATION, "valid": VALIDATION, "val": VALIDATION,
         "dev": VALIDATION, TEST: TEST, "testing": TEST}  # fmt: skip
"""What a split column, or a folder, may say."""

Shares = dict[str, NDArray[np.int64]]
"""The rows of each split, ascending. Shape of each: [rows of the split]."""


def hashed_shares(rows: int, seed: int, validation: float, test: float) -> Shares:
    """Divide rows by a hash of their number, so that rows added later change nothing about those before.

    A split that is asked for has at least one row, and the training has one.

    Args:
        rows: How many there are.
        seed: Another one makes another division.
        validation: The share of the validation, from 0 to 1; 0: there is none.
        test: The share of the test.

    Raises:
        DataError: There are fewer rows than splits.
    """
    return _fractions(np.arange(rows, dtype=np.uint64), seed, validation, test, "row")


def group_shares(groups: Iterable[Any], seed: int, validation: float, test: float) -> Shares:
    """Divide rows so that those of one group are in one split, by a hash of what names the group.

    Args:
        groups: What names each row's group.
        seed: Another one makes another division.
        validation: The share of the groups that are for validation.
        test: The share of the groups that are for the test.

    Raises:
        DataError: There are fewer groups than splits.
    """
    names, owners = _grouped(groups)
    return _of_rows(_fractions(names, seed, validation, test, "group"), owners)


def fold_shares(
    rows: int, seed: int, folds: int, fold: int, validation: float, held: str, groups: Iterable[Any] | None = None
) -> Shares:
    """Hold out one of several folds, whose sizes differ by one row (or group) at most.

    Args:
        rows: How many there are.
        seed: Another one makes other folds.
        folds: How many there are.
        fold: The one that is held out.
        validation: The share of the other rows that are for validation.
        held: The split that the fold is.
        groups: What names each row's group, where groups stay together.

    Raises:
        DataError: There are fewer rows (or groups) than folds, or too few remain for the validation.
    """
    names, owners = (np.arange(rows, dtype=np.uint64), np.arange(rows)) if groups is None else _grouped(groups)
    what = "row" if groups is None else "group"
    if len(names) < folds:
        raise DataError(
            f"{_counted(len(names), what)} cannot be divided into {folds} folds: set a smaller `data.folds`."
        )
    order = np.argsort(_places(names, seed), kind="stable")
    mine = slice(fold * len(order) // folds, (fold + 1) * len(order) // folds)
    rest = np.sort(np.delete(order, mine))
    others = _fractions(names[rest], seed + 1, validation, 0.0, what)
    return _of_rows({held: np.sort(order[mine]), **{split: rest[share] for split, share in others.items()}}, owners)


def _fractions(names: NDArray[np.uint64], seed: int, validation: float, test: float, what: str) -> Shares:
    """Divide what has these names; see `hashed_shares`."""
    asked = {split: share for split, share in ((TEST, test), (VALIDATION, validation)) if share > 0}
    if len(names) < len(asked) + 1:
        raise DataError(
            f"{_counted(len(names), what)} cannot be divided into {len(asked) + 1} splits: "
            "name files with `data.validation` and `data.test`, or set "
            "`data.validation_fraction=0 data.test_fraction=0`."
        )
    places = _places(names, seed)
    order = np.argsort(places, kind="stable")
    shares = {}
    taken, bound = 0, 0.0
    for later, (split, share) in enumerate(asked.items(), 1):
        bound += share
        until = int(np.searchsorted(places[order], bound))
        until = min(max(until, taken + 1), len(names) - 1 - (len(asked) - later))
        shares[split] = np.sort(order[taken:until])
        taken = until
    shares[TRAIN] = np.sort(order[taken:])
    return shares


def _grouped(groups: Iterable[Any]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return a number that names each group, and the group of each row. Shapes: [groups], [rows]."""
    found: dict[str, int] = {}
    owners = [found.setdefault(str(group), len(found)) for group in groups]
    digests = b"".join(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest() for name in found)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64), np.array(owners, dtype=np.int64)


def _of_rows(shares: Shares, owners: NDArray[np.int64]) -> Shares:
    """Return the rows of each split, of shares of groups."""
    return {split: np.flatnonzero(np.isin(owners, share)).astype(np.int64) for split, share in shares.items()}


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _places(names: NDArray[np.uint64], seed: int) -> NDArray[np.float64]:
    """Return a place from 0 to 1 for each name: SplitMix64 (Steele et al. 2014), the same on every machine."""
    with np.errstate(over="ignore"):
        mixed = names + np.uint64(1) + np.uint64(seed % 2**32) * np.uint64(0x632BE59BD9B4E019)
        mixed *= np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        places: NDArray[np.float64] = (mixed ^ (mixed >> np.uint64(31))) / 2.0**64
    return places
