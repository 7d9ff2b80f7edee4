"""Rows of the validation and of the test that are tried before a training, which is long."""

from __future__ import annotations

from collections.abc import Mapping

from mmlm_core.data import Prepared, Rows
from mmlm_core.interfaces import Stream
from mmlm_core.preparation import Preparation
from mmlm_core.settings import OnError

__all__ = ["try_held_out"]

TRAIN = "train"

TRIED = 8
"""Rows of a split that are tried, spread evenly."""


def try_held_out(preparation: Preparation, rows: Mapping[str, Rows]) -> None:
    """Prepare some rows of each split but the training, so that what is wrong with most of them is told before it.

    A stream is not tried, and nothing is where rows that cannot be used are skipped.

    Args:
        preparation: The composed model with its data.
        rows: The rows of each split.

    Raises:
        DataError: One of them cannot be used.
    """
    composition, model = preparation.composition, preparation.model
    if composition.settings.loader.on_error is OnError.SKIP:
        return
    for split, held_out in rows.items():
        if split == TRAIN or isinstance(held_out, Stream):
            continue
        prepared = Prepared(held_out, model.processors(), model.head.target_processor(),
                            needs_target=composition["data"].traits.has_target)  # fmt: skip
        tried = min(len(held_out), TRIED)
        for number in range(tried):
            _ = prepared[number * len(held_out) // tried]
