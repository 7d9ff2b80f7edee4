"""The backbone `cnn`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmlm_backbones.options import CnnOptions
from mmlm_core.interfaces import Backbone, Between, State
from mmlm_core.types import Features

__all__ = ["CnnBackbone", "CnnState"]


@dataclass
class CnnState(State):
    """What each layer reads of the positions before the next.

    Attributes:
        layers: For each layer its last inputs, the latest last; zeros before a row's first. Shape of each: [B, S, D],
            S positions that its convolution looks back.
    """

    layers: list[Tensor]

    def select(self, rows: Tensor) -> CnnState:
        """Return the state of these rows, in this order.

        Shape: rows [B'] -> a state of B' rows.
        """
        return CnnState([layer.index_select(0, rows) for layer in self.layers])


class CnnBackbone(Backbone):
    """Residual layers of a normalisation, a convolution along the sequence, and a gated linear unit.

    The gated convolutions are those of Gehring et al. 2017 (with Dauphin et al. 2017), the dilations those of ByteNet
    (Kalchbrenner et al. 2016) and WaveNet (van den Oord et al. 2016); the layers are normalised before, not by weight.
    What lies outside of a row, or of a packed document, is read as zeros.

    Args:
        options: The options.
        causal: Whether a position may see only itself and those before it.
    """

    def __init__(self, options: CnnOptions, *, causal: bool) -> None:
        super().__init__()
        self.width = options.width
        self.depth = options.depth
        self.causal = causal
        self.kernel = options.kernel
        self.dilations = options.dilations
        self.norms = nn.ModuleList(nn.LayerNorm(options.width) for _ in range(options.depth))
        # A convolution is a linear map of the positions that it reads, side by side: so documents can be kept apart.
        self.maps = nn.ModuleList(
            nn.Linear(options.kernel * options.width, 2 * options.width) for _ in range(options.depth)
        )
        self.dropout = nn.Dropout(options.dropout)
        self.final = nn.LayerNorm(options.width)

    def forward(self, sequence: Features, between: Between | None = None, state: State | None = None) -> Tensor:
        """Read a sequence. See `Backbone.forward`.

        Shape: values [B, T, D] -> [B, T, D].
        """
        if state is not None and sequence.documents is not None:
            raise ValueError("Packed documents cannot be read with a state: generate for each document in a row.")
        kept = state if isinstance(state, CnnState) else None
        hidden = sequence.values
        for layer in range(self.depth):
            normed = self.norms[layer](hidden)
            if sequence.mask is not None:
                normed = torch.where(sequence.mask.unsqueeze(-1), normed, 0.0)
            read = self._side_by_side(layer, normed, sequence, kept)
            hidden = hidden + self.dropout(functional.glu(self.maps[layer](read), dim=-1))
            if between is not None:
                hidden = between(layer, hidden)
        return self.final(hidden)  # type: ignore[no-any-return]

    def start(self, rows: int, capacity: int, device: torch.device, dtype: torch.dtype) -> CnnState:
        """See `Backbone.start`."""
        del capacity
        if not self.causal:
            raise ValueError("A backbone that reads both ways has no state: build it with `causal=True`.")
        reaches = [(self.kernel - 1) * dilation for dilation in self.dilations]
        return CnnState([torch.zeros(rows, reach, self.width, device=device, dtype=dtype) for reach in reaches])

    def _side_by_side(self, layer: int, values: Tensor, sequence: Features, state: CnnState | None) -> Tensor:
        """Return the values of the positions that each position reads, side by side.

        Shape: values [B, T, D] -> [B, T, kernel * D].
        """
        length, dilation = values.shape[1], self.dilations[layer]
        reach = (self.kernel - 1) * dilation
        back = reach if self.causal else reach // 2
        if state is None:
            around = functional.pad(values, (0, 0, back, reach - back))
        else:
            around = torch.cat([state.layers[layer].to(values.dtype), values], dim=1)
            state.layers[layer] = _latest(around, sequence.mask, reach)
        taps = [around[:, tap * dilation : tap * dilation + length] for tap in range(self.kernel)]
        if sequence.documents is not None:
            numbers = functional.pad(sequence.documents, (back, reach - back), value=-1)
            read = [numbers[:, tap * dilation : tap * dilation + length] for tap in range(self.kernel)]
            taps = [
                torch.where((number == sequence.documents).unsqueeze(-1), tap, 0.0)
                for tap, number in zip(taps, read, strict=True)
            ]
        return torch.cat(taps, dim=-1)


def _latest(around: Tensor, mask: Tensor | None, reach: int) -> Tensor:
    """Return the last inputs up to each row's last valid position.

    Args:
        around: What was kept, and behind it what was read now. Shape: [B, reach + T, D].
        mask: What was read now is valid where it is True; valid positions come first. Shape: [B, T].
        reach: Positions that are kept.

    Shape: [B, reach, D].
    """
    if mask is None:
        return around[:, around.shape[1] - reach :].clone()
    places = mask.sum(dim=1, keepdim=True) + torch.arange(reach, device=mask.device)
    return around.gather(1, places.unsqueeze(-1).expand(-1, -1, around.shape[-1]))
