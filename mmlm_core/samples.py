"""Rows beside what was predicted for them, in a form that a page, a table and a file can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mmlm_core.errors import DataError
from mmlm_core.media import PNG_URL, load_picture, opened, picture_url
from mmlm_core.types import Example

if TYPE_CHECKING:
    from mmlm_core.interfaces import Head, Processor

__all__ = ["is_drawn", "is_right", "picture_of", "prediction_row", "said", "sample", "show_input", "with_shown_target"]

LARGEST = 128
"""Pixels of a shown picture's longer side at most."""


def is_drawn(prediction: Any) -> bool:
    """Whether a prediction is a picture, such as a mask, which is hardly ever exactly as its reference."""
    return isinstance(prediction, str) and prediction.startswith(PNG_URL)


def is_right(prediction: Any, reference: Any) -> bool:
    """Whether a prediction equals its reference, or one of several references of a text."""
    several = isinstance(reference, list | tuple) and not isinstance(prediction, list | tuple)
    references = reference if several else [reference]
    return any(_plain(prediction) == _plain(one) for one in references)


def with_shown_target(example: Example, head: Head) -> Example:
    """Return a row whose target is a plain JSON value, in the form of the head's predictions."""
    return replace(example, target=head.shown(example.target))


def prediction_row(example: Example, prediction: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of `predictions.jsonl`."""
    rest = {name: value for name, value in prediction.items() if name != "prediction"}
    return {"key": example.key, "reference": example.target, "prediction": prediction.get("prediction"), **rest}


def sample(
    example: Example, prediction: Mapping[str, Any], processors: Mapping[str, Processor] = MappingProxyType({})
) -> dict[str, Any]:
    """Return a row with its inputs made visible, as plain JSON values."""
    inputs = [
        {"modality": modality, **show_input(modality, item, processors.get(modality))}
        for modality, items in sorted(example.inputs.items())
        for item in items
    ]
    said_now, reference = prediction.get("prediction"), prediction.get("reference", example.target)
    more = {name: value for name, value in prediction.items() if name != "prediction"} if is_drawn(said_now) else {}
    return {"key": example.key, "inputs": inputs, "prompt": example.prompt, "reference": reference,
            "prediction": said_now, "right": is_right(said_now, reference), "more": more}  # fmt: skip


def show_input(modality: str, item: Any, processor: Processor | None = None) -> dict[str, str]:
    """Return an item as `{"kind": "text" or "picture", "value": ...}`; a picture is a data URI of a small PNG."""
    if modality == "text":
        return {"kind": "text", "value": str(item)}
    item = opened(item)
    look = None if processor is None else processor.picture(item)
    picture = picture_of(item) if look is None else look
    if picture is None:
        return {"kind": "text", "value": str(item)[:200] if isinstance(item, str) else f"({modality})"}
    picture.thumbnail((LARGEST, LARGEST))
    return {"kind": "picture", "value": picture_url(picture)}


def picture_of(item: Any) -> Any:
    """Return an item as a PIL picture, or None where it is none."""
    try:
        return load_picture(item)
    except DataError:
        return None


def said(value: Any) -> str:
    """Return a prediction or a reference as a person reads it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {said(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return " | ".join(said(item) for item in value)
    return "" if value is None else str(value)


def _plain(value: Any) -> Any:
    """Return a value as it is compared: a label is text in a prediction, and may be a number or a word in a table."""
    return list(value) if isinstance(value, list | tuple) else str(value).strip()
