"""The projection `NEWNAME`."""

from __future__ import annotations

from mmlm_core.interfaces import Projection
from mmlm_core.types import Features
from torch import nn

from NEWPACKAGE.plugin import NEWCLASSOptions

__all__ = ["NEWCLASSProjection"]


class NEWCLASSProjection(Projection):
    """A layer norm, then a linear map, of each position alone.

    Args:
        options: The options.
        input_width: D of the features.
        output_width: D of the backbone.
    """

    def __init__(self, options: NEWCLASSOptions, *, input_width: int, output_width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(input_width)
        self.map = nn.Linear(input_width, output_width)
        self.dropout = nn.Dropout(options.dropout)

    def forward(self, features: Features) -> Features:
        """Project.

        Shape: values [I, T, D_in] -> [I, T, D_out].
        """
        return features.with_values(self.dropout(self.map(self.norm(features.values))))
