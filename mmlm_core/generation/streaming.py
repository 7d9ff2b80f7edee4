"""One row's text as it comes, in pieces that never need to be taken back."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from mmlm_core.generation.steps import steps
from mmlm_core.generation.stopping import Stopping
from mmlm_core.generation.writing import predict
from mmlm_core.interfaces import GenerativeHead
from mmlm_core.model import Model
from mmlm_core.reading import generative_head, make_reader
from mmlm_core.settings import DecodingOptions
from mmlm_core.types import Batch

__all__ = ["stream"]


@torch.inference_mode()
def stream(model: Model, batch: Batch, options: DecodingOptions) -> Iterator[str]:
    """Yield the text of the batch's only row, piece by piece; together they are the whole text.

    Beams, and several texts of which the best is told, yield it whole at the end: until then it may still lose.
    """
    if options.beams > 1 or options.n_best > 1:
        yield predict(model, batch, options)[0]["prediction"]
        return
    head = generative_head(model)
    text = _Text(head, Stopping(head, options.stop))
    for drafts in steps(head, batch, options, make_reader(model, batch, options.max_tokens)):
        yield from text.grow(drafts.ids[0, : int(drafts.counts[0])].tolist())
    yield from text.rest()


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
