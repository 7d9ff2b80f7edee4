"""An encoder of texts by their characters."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Encoder, Processor
from mmlm_core.types import Features
from mmlm_toys.plugin import ToyOptions
from mmlm_toys.processors import Faults
from mmlm_toys.quirk import Quirk


class ToyProcessor(Processor):
    """Texts to numbers below 50."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.faults = Faults(fault)

    def process(self, item: Any) -> dict[str, Tensor]:
        if not isinstance(item, str) and self.fault != "bare_error":
            item = str(item) if self.fault == "takes_anything" else item
            if not isinstance(item, str):
                raise DataError(f"A text must be a string, not {item!r}.")
        return {"ids": torch.tensor(self.faults.process([ord(character) % 50 for character in item]), dtype=torch.long)}

    def blank(self) -> dict[str, Tensor]:
        return {"ids": torch.zeros(0, dtype=torch.long)}

    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: torch.Generator | None) -> dict[str, Tensor]:
        ids = self.faults.collate([item["ids"] for item in items], generator)
        lengths = torch.tensor([len(each) for each in ids])
        padded = pad_sequence([*ids, torch.zeros(1, dtype=torch.long)], batch_first=True)[:-1]  # one position at least
        return {"ids": padded, "mask": torch.arange(padded.shape[1]) < lengths.unsqueeze(1)}


class ToyEncoder(Encoder):
    """Each character's vector, and the mean of all of the text."""

    width = 8

    def __init__(self, options: ToyOptions) -> None:
        super().__init__()
        self.fault = options.fault
        self.table = nn.Embedding(50, 8)
        self.output = nn.Linear(8, 8)
        nn.init.zeros_(self.output.weight)  # hides what lies behind it until it has learnt
        self.quirk = Quirk(options.fault, 8)

    def processor(self) -> Processor:
        return ToyProcessor(self.fault)

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        values, mask = self.table(items["ids"]), items["mask"]
        if self.fault == "same_for_all":
            values = values * 0
        counted = torch.ones_like(mask) if self.fault == "ignores_the_mask" else mask
        if self.fault == "mixes_items":
            mean = values[counted].mean(0)
        else:
            least = 0 if self.fault == "divides_by_nothing" else 1
            mean = (values * counted.unsqueeze(-1)).sum(1) / counted.sum(1, keepdim=True).clamp(min=least)
            mean = mean.unsqueeze(1)
        values = self.quirk(values * (self.fault != "same_for_all") + self.output(torch.tanh(mean)))
        if self.fault == "another_width":
            values = values[..., :7]
        return Features(values, None if self.fault == "gives_no_mask" else mask)
