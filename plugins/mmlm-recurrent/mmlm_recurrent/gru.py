"""The GRU backbone."""

from __future__ import annotations

from torch import nn

from mmlm_recurrent.options import GruOptions
from mmlm_recurrent.recurrent import RecurrentBackbone

__all__ = ["GruBackbone"]


class GruBackbone(RecurrentBackbone):
    """Layers of `torch.nn.GRU`.

    Args:
        options: The options.
        causal: Whether a position may see only itself and those before it.
    """

    def __init__(self, options: GruOptions, *, causal: bool) -> None:
        super().__init__(options, nn.GRU, causal=causal)
