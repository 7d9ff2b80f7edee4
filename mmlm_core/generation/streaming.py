"""One row's text as it comes, in pieces that never need to be taken back."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from mmlm_core.generation.steps import steps
from mmlm_core.generation.stopping import Stopping
from mmlm_core.generation.writing import generate
from mmlm_core.interfaces import GenerativeHead
from mmlm_core.model import Model
from mmlm_core.reading import generative_head, make_reader
from mmlm_core.settings import DecodingOptions
from mmlm_core.types import Batch

__all__ = ["stream"]


@torch.inference_mode()
def stream(model: Model, batch: Batch, options: DecodingOptions, *, echo: bool = False) -> Iterator[str]:
    """Yield the text of the batch's only row, piece by piece; together they are the whole text.

    Beams, and several texts of which the best is told, yield it whole at the end: until then it may still lose.

    Args:
        model: In evaluation mode, with a generative head.
        batch: One row.
        options: How tokens are chosen.
        echo: Begin with the row's prompt where it is a text that the generated one goes on with, and with what stands
            between both (the space between two words). The prompt of a head that replies is no part of its text.
    """
    head = generative_head(model)
    prompt = batch.examples[0].prompt
    told = str(prompt) if echo and isinstance(prompt, str) and not head.replies else ""
    ids, lengths = head.prompt(batch)
    before = ids[0, : int(lengths[0])].tolist()
    if options.beams > 1 or options.n_best > 1:
        best = generate(model, batch, options)[0]
        yield f"{_lead(head, told, before, best.ids)}{Stopping(head, options.stop).cut(head.decode(best.ids))}"
        return
    text = _Text(head, Stopping(head, options.stop))
    for drafts in steps(head, batch, options, make_reader(model, batch, options.max_tokens)):
        said = drafts.ids[0, : int(drafts.counts[0])].tolist()
        for piece in text.grow(said):
            yield f"{_lead(head, told, before, said)}{piece}"
            told = ""
    yield from filter(None, [told])
    yield from text.rest()


def _lead(head: GenerativeHead, prompt: str, before: list[int], after: list[int]) -> str:
    """Return the prompt with what stands between it and the text after it, as the head decodes both together.

    Args:
        head: What decodes.
        prompt: The prompt as it was given; empty: nothing is told.
        before: Its ids.
        after: Ids of the text, at least its first ones.
    """
    if not prompt:
        return ""
    if head.decode(before).strip()[-1:].lower() != prompt.strip()[-1:].lower():
        before = after  # the tokenizer does not know the prompt's last word: any other stands for it
    first, both, second = head.decode(before), head.decode([*before, *after]), head.decode(after)
    apart = both.startswith(first) and both.endswith(second)
    between = both[len(first) : max(len(first), len(both) - len(second))] if apart else ""
    return prompt + ("" if prompt[-1].isspace() and between.isspace() else between)


class _Text:
    """A text that grows, and what has been told of it.

    Two things are waited for: the last byte of a character (until then decoders put the sign U+FFFD in its place), and
    whether what looks like the beginning of a stop string becomes one.
    """

    def __init__(self, head: GenerativeHead, stopping: Stopping) -> None:
        self._head, self._stopping = head, stopping
        self._whole = self._told = ""

    def grow(self, ids: list[int]) -> Iterator[str]:
        """Yield what can be told of the text of these ids, if anything can."""
        self._whole = self._head.decode(ids)
        known = self._whole.rstrip("\ufffd")
        known = known[: self._stopping.certain(known)]
        if known.startswith(self._told) and known != self._told:
            yield known[len(self._told) :]
            self._told = known

    def rest(self) -> Iterator[str]:
        """Yield what was waited with; what was told stays, even where a decoder reads its bytes otherwise now."""
        whole = self._stopping.cut(self._whole)
        untold = whole[len(self._told) :]
        if untold:
            yield untold
