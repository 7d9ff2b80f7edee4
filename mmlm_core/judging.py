"""Judges a batch: the loss of its targets, and the predictions beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from mmlm_core import generation
from mmlm_core.interfaces import GenerativeHead
from mmlm_core.model import Model
from mmlm_core.settings import DecodingOptions
from mmlm_core.types import Batch, Example, Loss

__all__ = ["continuation", "judge", "writes_freely"]


def writes_freely(model: Model) -> bool:
    """Whether the model goes on from a prompt and reads nothing else, as a language model does.

    What it generates has no reference then: it is judged by how well it foretells given texts.
    """
    return isinstance(model.head, GenerativeHead) and not len(model.encoders) and not model.head.replies


@torch.inference_mode()
def judge(model: Model, batch: Batch, decoding: DecodingOptions) -> tuple[Loss, list[dict[str, Any]]]:
    """Return the loss of a batch with targets, and one prediction a row.

    A prediction has what the head says in one pass over the targets (such as their likelihood); where the head
    generates from inputs, `prediction` and `score` are of what it generates.

    Args:
        model: In evaluation mode.
        batch: With targets, on the model's device.
        decoding: How tokens are chosen.
    """
    outputs = model(batch)
    loss = model.head.loss(outputs, batch)
    predictions = model.head.predict(outputs, batch)
    if isinstance(model.head, GenerativeHead) and not writes_freely(model):
        generated = generation.predict(model, batch, decoding)
        predictions = [{**told, **written} for told, written in zip(predictions, generated, strict=True)]
    return loss, predictions


def continuation(example: Example, share: float = 0.25, most: int = 40) -> Example:
    """Return a text row as a prompt, its beginning, and the rest as target: what a language model is shown with.

    Args:
        example: A row whose target is a text; a row with a prompt is returned as it is.
        share: The share of the text that becomes the prompt.
        most: Characters of the prompt at most.
    """
    text = example.target
    if example.prompt is not None or not isinstance(text, str) or len(text) < 4:
        return example
    end = max(1, min(round(len(text) * share), most))
    space = text.rfind(" ", 1, end + 1)
    end = space if space > 0 else end
    return replace(example, prompt=text[:end], target=text[end:])
