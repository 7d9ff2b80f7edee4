"""What heads have in common in what they make of targets, whatever their task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

from mmlm_core.errors import DataError

__all__ = ["IGNORED", "has_targets", "texts_in"]

IGNORED = -100
"""The label of a position that is not scored: the one that torch's cross-entropy leaves out."""


def has_targets(targets: Sequence[Mapping[str, Tensor]], name: str) -> bool:
    """Return whether the rows of a batch have a target (they do in training, and may not in prediction).

    Args:
        targets: What `TargetProcessor.process` returned, one a row.
        name: A tensor that a row has where it has a target.

    Raises:
        DataError: Some have and some have not.
    """
    given = sum(name in target for target in targets)
    if 0 < given < len(targets):
        raise DataError(f"{len(targets) - given} of the {len(targets)} rows of a batch have no target: all rows must "
                        "have one, or, in prediction, none.")  # fmt: skip
    return given > 0


def texts_in(value: Any) -> Iterator[str]:
    """Yield a text, or each text of a list, of lists of texts and so on; nothing where there is none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for member in value:
            yield from texts_in(member)
