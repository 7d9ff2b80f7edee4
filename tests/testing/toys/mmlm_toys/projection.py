"""A projection that may keep one of several positions."""

import torch
from torch import nn

from mmlm_core.interfaces import Projection
from mmlm_core.types import Features
from mmlm_toys.plugin import ToyProjectionOptions
from mmlm_toys.quirk import Quirk


class ToyProjection(Projection):
    """A linear map."""

    def __init__(self, options: ToyProjectionOptions, *, input_width: int, output_width: int) -> None:
        super().__init__()
        self.fault, self.every = options.fault, options.every
        self.map = nn.Linear(input_width, output_width if self.fault != "another_width" else 7)
        self.quirk = Quirk(options.fault, self.map.out_features)

    def forward(self, features: Features) -> Features:
        values = features.values.detach() if self.fault == "cuts_what_came_before" else features.values
        if self.fault == "ignores_the_mask":
            values = values + values.mean(1, keepdim=True)
        values = self.quirk(self.map(values))[:, :: self.every]
        if self.fault == "forgets_the_mask":
            return Features(values)
        if self.fault == "keeps_the_old_mask":
            return Features(values, features.valid)
        if self.fault == "nothing_is_masked":
            return Features(values, torch.ones_like(features.valid))
        ids = None if features.ids is None or self.fault == "forgets_the_tokens" else features.ids[:, :: self.every]
        return Features(values, features.valid[:, :: self.every], ids=ids)
