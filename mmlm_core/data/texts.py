"""The texts of rows, for training a tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from mmlm_core.targets import texts_in
from mmlm_core.types import Example

__all__ = ["corpus"]


def corpus(
    examples: Iterable[Example],
    modalities: Sequence[str] = ("text",),
    said: Callable[[Example], Iterable[str]] | None = None,
) -> Iterator[str]:
    """Yield every text of some rows: the text inputs, prompts and targets; of a list, each member.

    Args:
        examples: The rows, of the training split.
        modalities: The modalities that are text.
        said: What gives the texts of a row's prompt and target, as `Head.texts`; None: all that are texts.
    """
    for example in examples:
        for modality in modalities:
            yield from texts_in(example.inputs.get(modality))
        yield from texts_in([example.prompt, example.target]) if said is None else said(example)
