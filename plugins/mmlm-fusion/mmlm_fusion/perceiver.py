"""The projection `perceiver`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmlm_core.attention import attend
from mmlm_core.errors import OptionError
from mmlm_core.interfaces import Projection
from mmlm_core.types import Features
from mmlm_fusion.options import PerceiverOptions

__all__ = ["Perceiver"]


class Perceiver(Projection):
    """Learned queries read an item's features and stand for it: as many positions for every item, however long.

    Flamingo's resampler (Alayrac et al. 2022, after Jaegle et al. 2021): in each layer the queries attend to the
    features and to themselves, and a feed-forward layer follows.

    Args:
        options: See `PerceiverOptions`.
        input_width: D of the features.
        output_width: D of the backbone.

    Raises:
        OptionError: `heads` does not divide the width.
    """

    def __init__(self, options: PerceiverOptions, *, input_width: int, output_width: int) -> None:
        super().__init__()
        if output_width % options.heads:
            raise OptionError(f"`projection.heads` must divide the backbone's width, {output_width}; "
                              f"{options.heads} does not.")  # fmt: skip
        self.map = nn.Linear(input_width, output_width)
        self.queries = nn.Parameter(torch.empty(options.positions, output_width).normal_(std=0.02))
        self.layers = nn.ModuleList(_Layer(output_width, options.heads) for _ in range(options.depth))
        self.norm = nn.LayerNorm(output_width)

    def forward(self, features: Features) -> Features:
        """Read the features into the queries.

        Shape: values [I, T, D_in] -> [I, positions, D_out].
        """
        items = features.values.shape[0]
        given = self.map(features.values)
        queries = self.queries.expand(items, -1, -1)
        sees = None
        if features.mask is not None:
            own = features.mask.new_ones(items, len(self.queries))
            sees = torch.cat([features.mask, own], dim=1)[:, None, None]
        for layer in self.layers:
            queries = layer(queries, given, sees)
        kept = None if features.mask is None else features.mask.any(1, keepdim=True).expand(-1, len(self.queries))
        return Features(self.norm(queries), kept)


class _Layer(nn.Module):
    """Pre-norm attention of the queries to features and queries, then a feed-forward layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.features_norm = nn.LayerNorm(width)
        self.queries_norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width, bias=False)
        self.keys_values = nn.Linear(width, 2 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, queries: Tensor, features: Tensor, sees: Tensor | None) -> Tensor:
        normed = self.queries_norm(queries)
        both = torch.cat([self.features_norm(features), normed], dim=1)
        keys, values = self.keys_values(both).chunk(2, -1)
        read = attend(self._split(self.query(normed)), self._split(keys), self._split(values), sees)
        queries = queries + self.output(read.transpose(1, 2).flatten(2))
        return queries + self.feed_forward(queries)  # type: ignore[no-any-return]

    def _split(self, values: Tensor) -> Tensor:
        """Shape: [I, T, D] -> [I, heads, T, D / heads]."""
        return values.view(*values.shape[:-1], self.heads, -1).transpose(1, 2)
