"""What Mamba keeps of the positions that it has read, as its layers of `transformers` ask for it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmlm_core.interfaces import State

__all__ = ["LayerMemory", "MambaState"]


@dataclass
class MambaState(State):
    """The latest inputs of each layer's convolution, and its state space's state.

    Attributes:
        inputs: Shape: [depth, B, C, kernel].
        spaces: Shape: [depth, B, H, head_width, state].
    """

    inputs: Tensor
    spaces: Tensor

    def select(self, rows: Tensor) -> MambaState:
        """Return the state of these rows, in this order.

        Shape: rows [B'] -> a state of B' rows.
        """
        return MambaState(self.inputs.index_select(1, rows), self.spaces.index_select(1, rows))


class LayerMemory:
    """One layer's part of a state, with the methods of `transformers`' caches that the layer calls.

    Args:
        state: Of all layers; it is brought up to date in place.
        layer: The layer's number.
    """

    def __init__(self, state: MambaState, layer: int) -> None:
        self._inputs, self._space = state.inputs[layer], state.spaces[layer]

    def get_conv_state(self, layer_idx: int, state_idx: int = 0) -> Tensor:
        """Return the latest inputs of the convolution. Shape: [B, C, kernel]."""
        del layer_idx, state_idx
        return self._inputs

    def get_recurrent_state(self, layer_idx: int, state_idx: int = 0) -> Tensor:
        """Return the state space's state. Shape: [B, H, head_width, state]."""
        del layer_idx, state_idx
        return self._space

    def is_recording_past(self, layer_idx: int) -> bool:
        """Whether all that was read is kept: it is not."""
        del layer_idx
        return False

    def update_conv_state(self, conv_states: Tensor, layer_idx: int, conv_kernel_size: int) -> Tensor:
        """Keep the latest inputs, and return them behind those before.

        Shape: [B, C, T] -> [B, C, kernel + T].
        """
        del layer_idx
        whole = torch.cat([self._inputs, conv_states], dim=-1)
        self._inputs.copy_(whole[..., -conv_kernel_size:])
        return whole

    def update_recurrent_state(self, recurrent_states: Tensor, layer_idx: int) -> Tensor:
        """Keep the state space's state, and return it."""
        del layer_idx
        return self._space.copy_(recurrent_states)
