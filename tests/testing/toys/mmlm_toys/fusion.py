"""A fusion that joins all, and may also add a mean of the inputs between the layers, behind a gate."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from mmlm_core.interfaces import Fusion
from mmlm_core.types import QUERIES, Features, Joined, Memory, Segment, join
from mmlm_toys.plugin import ToyFusionOptions
from mmlm_toys.quirk import Quirk


class ToyFusion(Fusion):
    """Joins with `join`; the gate of what it does between the layers begins at zero."""

    def __init__(self, options: ToyFusionOptions, *, width: int, depth: int, modalities: tuple, reads: tuple) -> None:
        super().__init__()
        del depth, modalities, reads
        self.fault, self.acts = options.fault, options.between
        self.quirk = Quirk(options.fault, width)
        if self.acts:
            self.gate = nn.Parameter(torch.zeros(()))

    def join(self, inputs: Mapping[str, Features], queries: Features | None) -> tuple[Joined, ...]:
        parts = {name: part.with_values(self.quirk(part.values)) for name, part in sorted(inputs.items())}
        if self.fault == "drops_the_text":
            del parts["text"]
        if self.fault == "ignores_the_mask":
            parts = {name: replace(part, mask=None) for name, part in parts.items()}
        if self.fault == "rolls_the_rows":
            parts = {name: part.with_values(part.values.roll(1, 0)) for name, part in parts.items()}
        if self.fault == "cuts_what_came_before":
            parts = {name: part.with_values(part.values.detach() + self.quirk.shift) for name, part in parts.items()}
        if queries is not None and self.fault != "drops_the_queries":
            parts[QUERIES] = queries
        if self.fault == "padding_in_the_middle":
            values, mask = (torch.cat([getattr(p, name) for p in parts.values()], 1) for name in ("values", "valid"))
            places = [part.values.shape[1] for part in parts.values()]
            starts = [sum(places[:index]) for index in range(len(places))]
            segments = zip(parts, starts, places, strict=True)
            named = {name: Segment(slice(start, start + size), parts[name]) for name, start, size in segments}
            return (Joined(Features(values, mask), named),)
        return (join(parts),)

    def remember(self, inputs: Mapping[str, Features]) -> Memory:
        if not self.acts:
            return {}
        values = torch.cat([part.values for part in inputs.values()], 1)
        valid = torch.cat([part.valid for part in inputs.values()], 1).unsqueeze(-1)
        if self.fault == "ignores_the_mask_between":
            valid = torch.ones_like(valid)
        least = 0 if self.fault == "divides_by_nothing" else 1
        mean = (values * valid).sum(1, keepdim=True) / valid.sum(1, keepdim=True).clamp(min=least)
        if self.fault == "leaks_between":
            mean = mean.mean(0, keepdim=True).expand_as(mean)
        if self.fault == "keeps_the_memory":
            self.kept = mean
        return {"mean": mean.transpose(0, 1) if self.fault == "memory_by_position" else mean}

    def between(self, layer: int, hidden: Tensor, memory: Memory) -> Tensor:
        if not self.acts:
            return hidden
        mean = memory["mean"].transpose(0, 1) if self.fault == "memory_by_position" else memory["mean"]
        if self.fault == "keeps_the_memory":
            mean = self.kept[: len(hidden)] if len(self.kept) >= len(hidden) else mean
        if self.fault == "mixes_positions":
            mean = mean + hidden.mean(1, keepdim=True)
        return hidden + self.gate * mean
