"""The projection `mlp`."""

from __future__ import annotations

from torch import nn

from mmlm_core.interfaces import Projection
from mmlm_core.types import Features
from mmlm_fusion.options import MlpOptions

__all__ = ["Mlp"]


class Mlp(Projection):
    """Two linear maps with a GELU between them.

    Args:
        options: See `MlpOptions`.
        input_width: D of the features.
        output_width: D of the backbone.
    """

    def __init__(self, options: MlpOptions, *, input_width: int, output_width: int) -> None:
        super().__init__()
        inner = max(1, round(output_width * options.expansion))
        self.maps = nn.Sequential(nn.Linear(input_width, inner), nn.GELU(), nn.Linear(inner, output_width))

    def forward(self, features: Features) -> Features:
        """Project.

        Shape: values [I, T, D_in] -> [I, T, D_out].
        """
        return features.with_values(self.maps(features.values))
