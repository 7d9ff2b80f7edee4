"""The texts of rows, for training a tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from mmlm_core.data.readable import pass_over
from mmlm_core.errors import DataError
from mmlm_core.settings import OnError
from mmlm_core.targets import texts_in
from mmlm_core.types import Example

__all__ = ["corpus"]


def corpus(
    examples: Iterable[Example],
    modalities: Sequence[str] = ("text",),
    said: Callable[[Example], Iterable[str]] | None = None,
    on_error: OnError = OnError.RAISE,
    faults: list[DataError] | None = None,
) -> Iterator[str]:
    """Yield every text of some rows: the text inputs, prompts and targets; of a list, each member.

    Args:
        examples: The rows, of the training split.
        modalities: The modalities that are text.
        said: What gives the texts of a row's prompt and target, as `Head.texts`; None: all that are texts.
        on_error: Whether a row with what is no valid Unicode stops, or is passed over.
        faults: Takes why each row that is passed over cannot be used.

    Raises:
        DataError: A text is no valid Unicode, and `on_error` is `raise`.
    """
    for example in examples:
        parts = {modality: texts_in(example.inputs.get(modality)) for modality in modalities}
        parts["target"] = iter(texts_in([example.prompt, example.target]) if said is None else said(example))
        try:
            texts = [_checked(text, example, part) for part, found in parts.items() for text in found]
        except DataError as error:
            pass_over(error, on_error, faults)
            continue
        yield from texts


def _checked(text: str, example: Example, part: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{example.place(part)}: A text must be valid Unicode: it has half a surrogate pair at "
                        f"{error.start}.") from error  # fmt: skip
    return text
