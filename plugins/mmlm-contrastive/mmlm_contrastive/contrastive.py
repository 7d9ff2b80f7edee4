"""The head `contrastive`: two modalities in one space."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmlm_contrastive.gathering import gathered, is_shared
from mmlm_contrastive.losses import Sides, infonce, sigmoid
from mmlm_contrastive.options import ContrastiveOptions, Duplicates, PairLoss
from mmlm_contrastive.pairs import Pairs
from mmlm_contrastive.pooling import pool
from mmlm_contrastive.retrieval import chance, ranks, summary
from mmlm_core.interfaces import Head, TargetProcessor
from mmlm_core.types import Batch, Features, Loss

__all__ = ["Contrastive"]

TEMPERATURES = {PairLoss.infonce: 0.07, PairLoss.sigmoid: 0.1}
LARGEST_SCALE = 100.0
"""What similarities are multiplied by at most, as in CLIP."""
TOPS = (1, 5, 10)
DIGITS = 6


class Contrastive(Head):
    """Pools each modality, maps it to a shared space, and draws together there what comes from one row.

    Args:
        options: See `ContrastiveOptions`.
        width: D.
        modalities: Names of the two inputs.
        facts: Not used.
    """

    monitor = ("recall_at_1", "max")

    def __init__(
        self, options: ContrastiveOptions, *, width: int, modalities: tuple[str, ...], facts: Mapping[str, Any]
    ) -> None:
        super().__init__()
        del facts
        self.options = options
        self.reads = tuple(modalities)
        self.dropout = nn.Dropout(options.dropout)
        self.maps = nn.ModuleDict({name: nn.Linear(width, options.width, bias=False) for name in modalities})
        temperature = options.temperature or TEMPERATURES[options.loss]
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)))
        if options.loss is PairLoss.sigmoid:
            self.bias = nn.Parameter(torch.tensor(options.bias))

    def target_processor(self) -> TargetProcessor:
        """Return the processor that tells rows which share an item; it looks at no target."""
        return Pairs(self.reads)

    def queries(self, batch: Batch) -> Features | None:
        """Return None: the inputs' own positions are read."""
        return None

    def loss(self, outputs: Mapping[str, Features], batch: Batch) -> Loss:
        """Return the loss, counted by rows that have both items.

        In training the negatives come from all processes; in evaluation from the own batch.
        """
        if self.training:
            with torch.no_grad():
                self.log_scale.clamp_(max=math.log(LARGEST_SCALE))
        one, other = (self._embed(outputs[name], name) for name in self.reads)
        complete = self._exists(outputs, 0) & self._exists(outputs, 1)
        with torch.autocast(one.device.type, enabled=False):
            sides = self._sides(one, other, batch.targets["digests"], complete)
            scale = self.log_scale.float().exp()
            if self.options.loss is PairLoss.sigmoid:
                total = sigmoid(sides, scale, self.bias.float())
            else:
                total = infonce(sides, scale)
        # Where no row is complete, all parameters still have a gradient.
        return Loss(total + 0.0 * (one.sum() + other.sum() + self.log_scale), sides.complete.sum())

    def predict(self, outputs: Mapping[str, Features], batch: Batch) -> list[dict[str, Any]]:
        """Return each row's similarity as `prediction` (None where an item is missing), and its `embeddings`.

        `digests` tells equal items, for the metrics.
        """
        columns = {name: self._embed(outputs[name], name) for name in self.reads}
        exists = [self._exists(outputs, place).tolist() for place in range(2)]
        similarities = (columns[self.reads[0]] * columns[self.reads[1]]).sum(-1).tolist()
        vectors = {name: column.tolist() for name, column in columns.items()}
        digests = batch.targets["digests"].tolist()
        return [
            {
                "prediction": round(similarities[row], DIGITS) if exists[0][row] and exists[1][row] else None,
                "embeddings": {
                    name: [round(number, DIGITS) for number in vectors[name][row]]
                    for place, name in enumerate(self.reads)
                    if exists[place][row]
                },
                "digests": {
                    name: f"{digests[row][place]:016x}" for place, name in enumerate(self.reads) if exists[place][row]
                },
            }
            for row in range(batch.size)
        ]

    def metrics(self, predictions: Sequence[Mapping[str, Any]], references: Sequence[Any]) -> dict[str, float]:
        """Return recall at 1, 5 and 10 and the median rank, in either direction over all rows that have both items.

        `recall_at_1` is the mean of both directions; `chance_recall_at_1` that of a random order.
        """
        one, other = self.reads
        rows = [row for row in predictions if {one, other} <= set(row.get("embeddings", ()))]
        if not rows:
            return {}
        directions, chances = {}, {}
        for asks, answers in ((one, other), (other, one)):
            vectors = [torch.tensor([row["embeddings"][name] for row in rows]) for name in (asks, answers)]
            names = [[row["digests"][name] for row in rows] for name in (asks, answers)]
            found, right = ranks(vectors[0], names[0], vectors[1], names[1])
            directions[f"{asks}_to_{answers}"] = summary(f"{asks}_to_{answers}", found, TOPS)
            chances[asks] = {top: chance(len(set(names[1])), right, top) for top in TOPS}
        means = {
            f"recall_at_{top}": sum(told[f"{name}_recall_at_{top}"] for name, told in directions.items()) / 2
            for top in TOPS
        }
        random = {f"chance_recall_at_{top}": sum(each[top] for each in chances.values()) / 2 for top in TOPS}
        return {**means, **{key: value for told in directions.values() for key, value in told.items()}, **random}

    def _embed(self, features: Features, name: str) -> Tensor:
        """Return an input's place in the shared space, of length 1; zeros where a row has none. Shape: [B, E]."""
        return functional.normalize(self.maps[name](self.dropout(pool(features, self.options.pooling))).float(), dim=-1)

    def _exists(self, outputs: Mapping[str, Features], place: int) -> Tensor:
        """Return whether each row has the item. Shape: [B]."""
        return outputs[self.reads[place]].valid.any(1)

    def _sides(self, one: Tensor, other: Tensor, digests: Tensor, complete: Tensor) -> Sides:
        """Return the own rows against all, and which of them are compared."""
        everything, offset = [one, other, digests, complete], 0
        if self.training and self.options.gather and is_shared():
            embeddings, offset = gathered(one, other)
            numbers, _ = gathered(digests, complete.long())
            everything = [*embeddings, numbers[0], numbers[1].bool()]
        compared = complete.unsqueeze(1) & everything[3]
        if self.options.duplicates is Duplicates.ignore:
            shared = (digests.unsqueeze(1) == everything[2]).any(-1)
            rows = torch.arange(len(shared), device=shared.device)
            shared[rows, rows + offset] = False  # a row is compared with itself
            compared &= ~shared
        return Sides((one, other), (everything[0], everything[1]), compared, offset)
