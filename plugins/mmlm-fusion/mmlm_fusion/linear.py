"""The projection `linear`."""

from __future__ import annotations

from torch import nn

from mmlm_core.interfaces import Projection
from mmlm_core.types import Features
from mmlm_fusion.options import LinearOptions

__all__ = ["Linear"]


class Linear(Projection):
    """A learned linear map where the widths differ; the identity where they agree.

    Args:
        options: None to set.
        input_width: D of the features.
        output_width: D of the backbone.
    """

    def __init__(self, options: LinearOptions, *, input_width: int, output_width: int) -> None:
        super().__init__()
        del options
        self.map = nn.Identity() if input_width == output_width else nn.Linear(input_width, output_width)

    def forward(self, features: Features) -> Features:
        """Project.

        Shape: values [I, T, D_in] -> [I, T, D_out].
        """
        return features.with_values(self.map(features.values))
