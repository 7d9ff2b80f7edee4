"""The moving average of the weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

__all__ = ["Average"]


class Average:
    """An exponential moving average of a model's weights, which takes their place while it validates and is saved.

    The decay rises with the updates, `min(decay, (1 + step) / (10 + step))`, so that the first weights, which are
    random, are soon forgotten. Buffers of floating point are averaged too; others are not touched.

    Args:
        model: Whose weights are averaged; it lies where it is trained already.
        decay: From 0 to below 1.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        named = _tensors(model)
        self._names = list(named)
        self._live = [tensor.detach() for tensor in named.values()]  # these share the weights' memory
        self._kept = [tensor.clone() for tensor in self._live]
        self._swapped = False

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after an update."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._kept, self._live, 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the model's weights and the average; the second time, back."""
        for live, kept in zip(self._live, self._kept, strict=True):
            copy = live.clone()
            live.copy_(kept)
            kept.copy_(copy)
        self._swapped = not self._swapped

    def state_dict(self) -> dict[str, Tensor]:
        """Return the average.

        Raises:
            RuntimeError: It stands in the model's place just now.
        """
        if self._swapped:
            raise RuntimeError("The average stands in the model's place: swap it back before it is saved.")
        return dict(zip(self._names, self._kept, strict=True))

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a state."""
        for name, kept in zip(self._names, self._kept, strict=True):
            kept.copy_(state[name])


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return the model's tensors of floating point that training changes; shared ones once."""
    named = [*model.named_parameters(), *model.named_buffers()]
    return {
        name: tensor
        for name, tensor in named
        if tensor.is_floating_point() and (tensor.requires_grad or not isinstance(tensor, nn.Parameter))
    }
