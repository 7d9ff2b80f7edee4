"""The texts of rows, for training a tokenizer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mmlm_core.types import Example

__all__ = ["corpus"]


def corpus(examples: Iterable[Example], modalities: Sequence[str] = ("text",)) -> Iterator[str]:
    """Yield every text of some rows: the text inputs, prompts and targets; of a list, each member.

    Args:
        examples: The rows, of the training split.
        modalities: The modalities that are text.
    """
    for example in examples:
        for modality in modalities:
            yield from _texts(example.inputs.get(modality))
        yield from _texts(example.prompt)
        yield from _texts(example.target)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _texts(member)
