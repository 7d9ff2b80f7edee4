"""The contract of projections."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import nn

from mmlm_core.types import Features

__all__ = ["Projection"]


class Projection(nn.Module, ABC):
    """Brings a modality's features to the backbone's width; it may change their number too.

    Built as `Class(options, input_width=..., output_width=...)`.
    """

    @abstractmethod
    def forward(self, features: Features) -> Features:
        """Project.

        Shape: values [I, T, D_in] -> [I, T', D_out], with the mask (and grid, where it still holds) of T'.
        """
