"""The contract of fusion strategies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from mmlm_core.interfaces.encoder import Processor
from mmlm_core.types import Features, Joined, Memory

__all__ = ["Fusion"]


class Fusion(nn.Module, ABC):
    """Joins the projected inputs and the head's queries: before the backbone, between its layers, or both.

    Built as `Class(options, width=..., depth=..., modalities=..., reads=...)`: the backbone's width and depth, the
    names of the inputs (sorted), and the segments that the head reads (`mmlm_core.types.QUERIES`, or modalities, which
    must stay in the sequence).
    """

    @abstractmethod
    def join(self, inputs: Mapping[str, Features], queries: Features | None) -> tuple[Joined, ...]:
        """Return what the backbone reads: one sequence, or several that it reads apart.

        Every segment that the head reads is in one of them. `mmlm_core.types.join` makes a sequence.

        Args:
            inputs: Projected features by modality. Shape of the values: [B, T, D].
            queries: The head's own positions, or None. Shape of the values: [B, T, D].
        """

    def processors(self, processors: dict[str, Processor]) -> dict[str, Processor]:
        """Return the processors of a row's items, which a fusion may wrap, to lay out a row before they work on it
        (`Processor.lay_out`); by default they are as the encoders give them.

        Args:
            processors: By modality.
        """
        return processors

    def gather(self, read: Sequence[Mapping[str, Features]]) -> dict[str, Features]:
        """Return what the head reads, out of what was read of each sequence that `join` returned; by default all of it.

        Args:
            read: The backbone's output by segment. Shape of the values: [B, S, D].
        """
        return {name: part for segments in read for name, part in segments.items()}

    def remember(self, inputs: Mapping[str, Features]) -> Memory:
        """Return what `between` attends to, computed once for all steps of a generation; by default nothing."""
        del inputs
        return {}

    def between(self, layer: int, hidden: Tensor, memory: Memory) -> Tensor:
        """Act on the hidden states after a layer of the backbone; by default they pass unchanged.

        What happens at one position must not depend on other positions of `hidden`, so that a causal backbone stays
        causal and one step of a generation equals the whole. A row whose memory has no valid position gets zeros
        from it, never NaN.

        Args:
            layer: The layer, from 0.
            hidden: Shape: [B, T, D].
            memory: What `remember` returned.
        """
        del layer, memory
        return hidden

    @property
    def acts_between(self) -> bool:
        """Whether `between` does anything, so that the backbone need not call it for nothing."""
        return type(self).between is not Fusion.between
