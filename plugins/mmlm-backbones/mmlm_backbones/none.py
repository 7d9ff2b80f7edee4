"""The backbone `none`."""

from __future__ import annotations

from torch import Tensor

from mmlm_backbones.options import NoneOptions
from mmlm_core.interfaces import Backbone, Between, State
from mmlm_core.types import Features

__all__ = ["NoBackbone"]


class NoBackbone(Backbone):
    """Gives back what it is given: the head reads the projected features themselves.

    Args:
        options: The options.
        causal: Not used: a position sees itself alone.
    """

    depth = 0
    steps = False

    def __init__(self, options: NoneOptions, *, causal: bool) -> None:
        super().__init__()
        del causal
        self.width = options.width

    def forward(self, sequence: Features, between: Between | None = None, state: State | None = None) -> Tensor:
        """Return the values, unchanged; `between` is never called, since there is no layer.

        Shape: values [B, T, D] -> [B, T, D].
        """
        del between, state
        return sequence.values
