"""The fusion `concat`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from mmlm_core.interfaces import Fusion, Processor
from mmlm_core.types import QUERIES, Features, Joined, join
from mmlm_fusion.interleaving import TEXT, Interleaving
from mmlm_fusion.options import ConcatOptions
from mmlm_fusion.outside import check_inputs

__all__ = ["Concat"]


class Concat(Fusion):
    """Puts the inputs, in order, and then the queries into one sequence.

    With `markers` the text says where the items of another modality stand: each takes the place of a marker, as the
    pictures of Flamingo's and LLaVA's dialogues do. The pieces of the text between them are items of their own, which
    an encoder reads apart and the backbone in one sequence.

    Args:
        options: See `ConcatOptions`.
        width: D of the backbone.
        depth: Not used.
        modalities: Names of the inputs.
        reads: Not used: everything stays in the sequence.

    Raises:
        OptionError: `order` or `markers` names no input.
    """

    def __init__(
        self, options: ConcatOptions, *, width: int, depth: int, modalities: tuple[str, ...], reads: tuple[str, ...]
    ) -> None:
        super().__init__()
        del depth, reads
        check_inputs("order", options.order, modalities)
        check_inputs("markers", list(options.markers), modalities)
        self._markers = dict(options.markers)
        self.order = (*options.order, *(name for name in sorted(modalities) if name not in options.order))
        marked = modalities if options.mark else ()
        self.marks = nn.ParameterDict({name: nn.Parameter(torch.randn(width) * 0.02) for name in marked})

    def processors(self, processors: dict[str, Processor]) -> dict[str, Processor]:
        """Return the processors; that of texts cuts them at the markers, where there are any."""
        if not self._markers:
            return processors
        behind = self.order[self.order.index(TEXT) + 1 :]
        return {**processors, TEXT: Interleaving(processors[TEXT], self._markers, behind)}

    def join(self, inputs: Mapping[str, Features], queries: Features | None) -> tuple[Joined, ...]:
        """See `Fusion.join`."""
        parts = {
            name: inputs[name].with_values(inputs[name].values + self.marks[name])
            if name in self.marks
            else inputs[name]
            for name in self.order
        }
        return (join(parts if queries is None else {**parts, QUERIES: queries}),)
