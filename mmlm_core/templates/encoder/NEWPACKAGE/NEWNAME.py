"""The encoder `NEWNAME`, of the modality `NEWMODALITY`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmlm_core.interfaces import Encoder, Processor
from mmlm_core.types import Features
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from NEWPACKAGE.plugin import NEWCLASSOptions
from NEWPACKAGE.reading import read

__all__ = ["NEWCLASSEncoder"]


class _Arrays(Processor):
    """Items to `values` [I, T, channels] and `mask` [I, T]."""

    def __init__(self, channels: int, max_positions: int) -> None:
        self.channels = channels
        self.max_positions = max_positions

    def process(self, item: Any) -> dict[str, Tensor]:
        """Return an item's numbers, `values` [T, channels]."""
        values = torch.from_numpy(read(item, self.channels))
        if len(values) > self.max_positions:
            values = values[torch.linspace(0, len(values) - 1, self.max_positions).long()]
        return {"values": values}

    def blank(self) -> dict[str, Tensor]:
        """Return an item without any position."""
        return {"values": torch.empty(0, self.channels)}

    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: torch.Generator | None) -> dict[str, Tensor]:
        """Pad the items to the longest; what is random in training (noise, a turn) would be drawn here."""
        lengths = torch.tensor([len(item["values"]) for item in items])
        values = pad_sequence([item["values"] for item in items], batch_first=True)
        values = values if values.shape[1] else values.new_zeros(len(items), 1, self.channels)
        return {"values": values, "mask": torch.arange(values.shape[1]) < lengths.unsqueeze(1)}


class NEWCLASSEncoder(Encoder):
    """A network over each position alone, and over the greatest value of each feature (as PointNet, Qi et al. 2017).

    Args:
        options: The options.
    """

    def __init__(self, options: NEWCLASSOptions) -> None:
        super().__init__()
        self.width = width = options.width
        self.positions = nn.Sequential(nn.Linear(options.channels, width), nn.GELU(), nn.Linear(width, width))
        self.whole = nn.Linear(width, width)
        self._processor = _Arrays(options.channels, options.max_positions)

    def processor(self) -> Processor:
        """Return the processor of the items."""
        return self._processor

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Encode items.

        Shape: values [I, T, channels], mask [I, T] -> values [I, T, D].
        """
        mask = items["mask"]
        values = self.positions(items["values"])
        greatest = values.masked_fill(~mask.unsqueeze(-1), -torch.inf).amax(1, keepdim=True)
        greatest = greatest.masked_fill(~mask.any(1).view(-1, 1, 1), 0)  # an item without any position
        return Features(values + self.whole(greatest), mask)
