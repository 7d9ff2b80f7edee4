"""How a generation reads: begin with the inputs and a prompt, then step token by token, with a cache or without."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from mmlm_core.interfaces import GenerativeHead, State
from mmlm_core.model import Model
from mmlm_core.types import QUERIES, Batch, Features, Joined, Memory

__all__ = ["CachedReader", "Reader", "UncachedReader", "generative_head", "make_reader"]


class Reader(ABC):
    """Gives the scores of the next token of each row, while the rows grow and (in beams) change places."""

    @abstractmethod
    def begin(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Read the inputs and the prompts.

        Shape: ids [B, P], padded behind; lengths [B] -> logits [B, V].
        """

    @abstractmethod
    def step(self, ids: Tensor) -> Tensor:
        """Read one more token in each row.

        Shape: ids [B] -> logits [B, V].
        """

    @abstractmethod
    def select(self, rows: Tensor) -> None:
        """Keep these rows, in this order; a row may stand several times.

        Shape: rows [B'].
        """

    @abstractmethod
    def reorder(self, rows: Tensor, recent: int) -> None:
        """Go on from these rows' texts; each row takes that of one which has the same inputs, as beams do.

        Args:
            rows: Shape: [B].
            recent: The last tokens read, in which a row and the one that it takes may differ.
        """


class CachedReader(Reader):
    """Encodes and fuses once; each step reads one token, with the backbone's state.

    Args:
        model: With a generative head.
        batch: The inputs.
        capacity: Tokens that will be generated at most.
    """

    def __init__(self, model: Model, batch: Batch, capacity: int) -> None:
        self._model = model
        self._head = generative_head(model)
        self._inputs = model.encode(batch)
        self._memory = model.fusion.remember(self._inputs)
        self._between = model.between(self._memory)
        self._capacity = capacity
        self._state: State
        self._seen: Memory

    def begin(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """See `Reader.begin`."""
        sequence = _sequence(self._model, self._inputs, ids, lengths)
        values = sequence.features.values
        capacity = values.shape[1] + self._capacity
        self._state = self._model.backbone.start(values.shape[0], capacity, values.device, values.dtype)
        read = sequence.read(self._model.backbone(sequence.features, self._between, self._state))
        self._seen = self._head.remember({**self._inputs, **read})
        return self._head.scores(_last(read[QUERIES], lengths), self._seen)[:, 0]

    def step(self, ids: Tensor) -> Tensor:
        """See `Reader.step`."""
        token = Features(self._head.embed(ids.unsqueeze(1)))
        hidden = self._model.backbone(token, self._between, self._state)
        return self._head.scores(hidden, self._seen)[:, 0]

    def select(self, rows: Tensor) -> None:
        """See `Reader.select`."""
        self._state = self._state.select(rows)
        self._memory, self._seen = _select(self._memory, rows), _select(self._seen, rows)
        self._between = self._model.between(self._memory)

    def reorder(self, rows: Tensor, recent: int) -> None:
        """See `Reader.reorder`."""
        if recent:
            self._state = self._state.reorder(rows, recent)


class UncachedReader(Reader):
    """Reads everything anew at every step: slow, and the measure of what a cache must equal.

    Args:
        model: With a generative head.
        batch: The inputs.
    """

    def __init__(self, model: Model, batch: Batch) -> None:
        self._model = model
        self._head = generative_head(model)
        self._inputs = model.encode(batch)
        self._ids: Tensor
        self._lengths: Tensor

    def begin(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """See `Reader.begin`."""
        self._ids, self._lengths = ids, lengths
        sequence = _sequence(self._model, self._inputs, ids, lengths)
        between = self._model.between(self._model.fusion.remember(self._inputs))
        read = sequence.read(self._model.backbone(sequence.features, between))
        seen = self._head.remember({**self._inputs, **read})
        return self._head.scores(_last(read[QUERIES], lengths), seen)[:, 0]

    def step(self, ids: Tensor) -> Tensor:
        """See `Reader.step`."""
        grown = torch.cat([self._ids, torch.full_like(ids, self._head.pad).unsqueeze(1)], dim=1)
        grown.scatter_(1, self._lengths.unsqueeze(1), ids.unsqueeze(1))
        return self.begin(grown, self._lengths + 1)

    def select(self, rows: Tensor) -> None:
        """See `Reader.select`."""
        self.reorder(rows, recent=self._ids.shape[1])
        self._inputs = {name: features.select(rows) for name, features in self._inputs.items()}

    def reorder(self, rows: Tensor, recent: int) -> None:
        """See `Reader.reorder`."""
        self._ids, self._lengths = self._ids[rows], self._lengths[rows]


def make_reader(model: Model, batch: Batch, capacity: int, *, cache: bool = True) -> Reader:
    """Return the reader of a generation; a backbone that keeps no state reads everything anew.

    Args:
        model: With a generative head.
        batch: The inputs.
        capacity: Tokens that will be generated at most.
        cache: Whether to step with the backbone's state, where it keeps one.
    """
    return CachedReader(model, batch, capacity) if cache and model.backbone.steps else UncachedReader(model, batch)


def generative_head(model: Model) -> GenerativeHead:
    """Return the head of a model that generates.

    Raises:
        TypeError: It does not.
    """
    if not isinstance(model.head, GenerativeHead):
        raise TypeError(f"{type(model.head).__name__} does not generate: it is no GenerativeHead.")
    return model.head


def _sequence(model: Model, inputs: dict[str, Features], ids: Tensor, lengths: Tensor) -> Joined:
    """Join the inputs and the prompts; prompts of one length need no mask."""
    steps = torch.arange(ids.shape[1], device=ids.device)
    mask = None if ids.shape[1] == 1 else steps < lengths.unsqueeze(1)
    mask = None if mask is None or bool(mask.all()) else mask
    (sequence,) = model.fusion.join(inputs, Features(generative_head(model).embed(ids), mask))
    return sequence


def _last(queries: Features, lengths: Tensor) -> Tensor:
    """Return the hidden state at each row's last prompt token. Shape: [B, 1, D]."""
    rows = torch.arange(queries.values.shape[0], device=queries.values.device)
    return queries.values[rows, lengths - 1].unsqueeze(1)


def _select(memory: Memory, rows: Tensor) -> Memory:
    return {name: tensor.index_select(0, rows) for name, tensor in memory.items()}
