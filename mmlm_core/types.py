"""What flows between the boxes: `Features`, `Items`, `Batch`, and how features are joined into one sequence.

Shape legend, used by every docstring of mmlm:
    B  rows of a batch        I  items of one modality in a batch (a row may have none, one or several)
    T  time (positions)       S  positions of one segment of a sequence
    D  width                  V  vocabulary                 H  heads
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import Tensor

__all__ = ["QUERIES", "Batch", "Example", "Features", "Items", "Joined", "Loss", "Memory", "Segment", "arrange", "join"]

QUERIES = "queries"
"""The name of the segment that the head adds."""

LAST = 2**62
"""The place of what stands behind all that has one."""

Memory = dict[str, Tensor]
"""What a fusion keeps of the inputs to attend to, or a head to look back at; each tensor has the rows as first axis."""


@dataclass(frozen=True)
class Features:
    """Continuous features of one modality, of the head's queries, or of a whole sequence.

    Attributes:
        values: The vectors. Shape: [B, T, D].
        mask: True where a position is valid. Shape: [B, T]. None: every position of every row is.
        grid: Height and width, in positions, where the positions are a picture's, row by row (T = height * width).
        rate: Positions per second, where they are a sound's or a film's.
        documents: Which document a position belongs to, counted from 0 in each row, where several are packed into one
            row; attention, positions and recurrent states keep them apart. Shape: [B, T]. None: one document a row.
        items: Which item of its modality a position belongs to, counted from 0 in each row. Shape: [B, T]. None: one.
        places: Where a position's item stands among all items of its row, of whatever modality, as in `Example.places`.
            Shape: [B, T]. None: the rows say no order.
        ids: The token that each position stands for. Shape: [B, T]. None: they stand for no tokens.
    """

    values: Tensor
    mask: Tensor | None = None
    grid: tuple[int, int] | None = None
    rate: float | None = None
    documents: Tensor | None = None
    items: Tensor | None = None
    places: Tensor | None = None
    ids: Tensor | None = None

    @property
    def valid(self) -> Tensor:
        """The mask, also where every position is valid. Shape: [B, T]."""
        if self.mask is not None:
            return self.mask
        return torch.ones(self.values.shape[:2], dtype=torch.bool, device=self.values.device)

    def with_values(self, values: Tensor) -> Features:
        """Return the same positions with other vectors."""
        return replace(self, values=values)

    def select(self, rows: Tensor) -> Features:
        """Return these rows, in this order, with all that is known of their positions.

        Shape: rows [B'] -> values [B', T, D].
        """
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        chosen: dict[str, Any] = {name: part[rows] for name, part in known.items() if isinstance(part, Tensor)}
        return replace(self, **chosen)


@dataclass(frozen=True)
class Items:
    """The processed items of one modality in a batch: what an encoder reads.

    Attributes:
        tensors: Whatever the modality's processor makes of its items, collated. Every first axis: [I, ...].
        rows: The row that each item belongs to, ascending; -1 for a blank item that belongs to none (it keeps the
            encoder in the graph where no row of the batch has an item). Shape: [I]. None: one item in each row.
        places: Where each item stands in its row, as in `Example.places`. Shape: [I]. None: the rows say no order.
        features: What the encoder makes of them, where that is known already. Shape of the values: [I, T, D].
    """

    tensors: Mapping[str, Tensor]
    rows: Tensor | None = None
    places: Tensor | None = None
    features: Features | None = None

    def map(self, change: Callable[[Tensor], Tensor]) -> Items:
        """Return the items with each tensor changed, as moved to a device."""
        return Items(
            {name: change(tensor) for name, tensor in self.tensors.items()},
            None if self.rows is None else change(self.rows),
            None if self.places is None else change(self.places),
            self.features,
        )


@dataclass
class Example:
    """One row of a data set, before anything is decoded.

    Attributes:
        key: Where it comes from, as `captions.csv:17`; it stands in messages and beside predictions.
        inputs: The items of each modality, in order; a modality may be missing or have an empty list.
        target: What the model is to say; None where it is not known.
        prompt: What a generated text begins with, or what else the head goes on from, as messages; None: nothing.
        places: Where the items of each modality stand in the row, as numbers of which lower ones come first: a picture
            between two pieces of text has a number between theirs. None: the row says no order over its modalities.
        group: What it is measured under beside all other rows, as `female`; None: nothing.
        origins: The option that says what each part is read from, with its value, as `data.target=caption`: by
            modality, `target` and `prompt`. It stands in messages.
        fault: Why the row cannot be used, where its source found that and goes on with the next row; None: nothing
            is known against it. A source of a sequence may as well raise `DataError` for such a row.
    """

    key: str
    inputs: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    target: Any = None
    prompt: Any = None
    places: Mapping[str, Sequence[int]] | None = None
    group: str | None = None
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)
    fault: str | None = None

    def origin(self, part: str, otherwise: str = "") -> str:
        """Return what a part is read from, in backquotes, for messages; where that is not said, something else."""
        return f"`{self.origins[part]}`" if part in self.origins else otherwise

    def place(self, part: str = "") -> str:
        """Return where a part of this row stands, for messages: "`captions.csv:17` (`data.target=caption`)"."""
        origin = self.origin(part)
        return f"`{self.key}` ({origin})" if origin else f"`{self.key}`"


@dataclass
class Batch:
    """Rows, ready for the model.

    Attributes:
        size: B.
        inputs: The items of each modality that the model reads.
        targets: What the head's target processor makes of the targets, collated. Every first axis: [B, ...].
        examples: The rows themselves, in order.
    """

    size: int
    inputs: dict[str, Items]
    targets: dict[str, Tensor]
    examples: list[Example] = field(default_factory=list)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Batch:
        """Return the batch with its tensors on a device."""

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device, non_blocking=non_blocking)

        inputs = {name: items.map(move) for name, items in self.inputs.items()}
        return replace(self, inputs=inputs, targets={name: move(tensor) for name, tensor in self.targets.items()})


@dataclass(frozen=True)
class Loss:
    """A head's loss over a batch, as a sum and a count, so that batches of different size average rightly.

    Attributes:
        total: The sum over what is counted. Shape: [].
        count: What is counted: tokens, rows, pixels. Shape: [].
        figures: Further sums over the same count, for the log (such as correct answers). Shape of each: [].
    """

    total: Tensor
    count: Tensor
    figures: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def mean(self) -> Tensor:
        """The loss of one counted thing; 0 where nothing is counted. Shape: []."""
        return self.total / self.count.clamp(min=1)


@dataclass(frozen=True)
class Segment:
    """Where the positions of one segment stand in a sequence.

    Attributes:
        index: For each position of the segment, its position in the sequence: a slice where it is the same in all
            rows, else a tensor (any valid index where the segment's position is not valid). Shape: [B, S].
        like: The segment's own features before the backbone, for its mask, grid and rate.
    """

    index: slice | Tensor
    like: Features


@dataclass(frozen=True)
class Joined:
    """One sequence for the backbone, and the segments that it is made of.

    In each row the valid positions stand side by side and padding only trails.
    """

    features: Features
    segments: Mapping[str, Segment]

    def read(self, hidden: Tensor) -> dict[str, Features]:
        """Return each segment's part of the backbone's output.

        Args:
            hidden: Shape: [B, T, D].
        """
        read = {}
        for name, segment in self.segments.items():
            if isinstance(segment.index, slice):
                values = hidden[:, segment.index]
            else:
                values = hidden.gather(1, segment.index.unsqueeze(-1).expand(-1, -1, hidden.shape[-1]))
            read[name] = segment.like.with_values(values)
        return read


def join(parts: Mapping[str, Features]) -> Joined:
    """Join features of one width into one sequence, in the mapping's order, or in that which the rows say.

    Where the rows say where their items stand, these stand there, and behind them what has no place of its own (the
    head's queries). Where padding could stand before valid positions (in a part that is not the last, or between
    several items), the rows are compacted: valid positions move together, in order, and padding trails.

    Args:
        parts: Features by segment name, at least one.
    """
    features = list(parts.values())
    values = features[0].values if len(features) == 1 else torch.cat([part.values for part in features], dim=1)
    ragged = any(part.mask is not None for part in features)
    mask = torch.cat([part.valid for part in features], dim=1) if ragged else None
    packed = any(part.documents is not None for part in features)
    documents = torch.cat([_documents(part) for part in features], dim=1) if packed else None
    starts = [0]
    for part in features:
        starts.append(starts[-1] + part.values.shape[1])
    places = {name: slice(starts[i], starts[i + 1]) for i, name in enumerate(parts)}
    trails = features[-1].items is None and all(part.mask is None for part in features[:-1])
    placed = any(part.places is not None for part in features)
    if not placed and (mask is None or trails):
        whole = Features(values, mask, documents=documents)
        return Joined(whole, {name: Segment(places[name], part) for name, part in parts.items()})
    order = torch.argsort(_order(features, mask, placed), dim=1, stable=True)
    back = torch.empty_like(order).scatter_(
        1, order, torch.arange(order.shape[1], device=order.device).expand_as(order)
    )
    whole = Features(
        values.gather(1, order.unsqueeze(-1).expand_as(values)),
        None if mask is None else mask.gather(1, order),
        documents=None if documents is None else documents.gather(1, order),
    )
    return Joined(whole, {name: Segment(back[:, places[name]], part) for name, part in parts.items()})


def _order(features: Sequence[Features], mask: Tensor | None, placed: bool) -> Tensor:
    """Return a number for each position, of which lower ones stand first, and invalid positions last. Shape: [B, T]."""
    if not placed and mask is not None:
        return mask.logical_not().to(torch.int8)
    places = torch.cat([_places(part) for part in features], dim=1)
    return places if mask is None else places.masked_fill(~mask, LAST + 1)


def _places(part: Features) -> Tensor:
    if part.places is not None:
        return part.places
    return torch.full(part.values.shape[:2], LAST, dtype=torch.long, device=part.values.device)


def _documents(part: Features) -> Tensor:
    if part.documents is not None:
        return part.documents
    return torch.zeros(part.values.shape[:2], dtype=torch.long, device=part.values.device)


def arrange(features: Features, rows: Tensor | None, size: int, places: Tensor | None = None) -> Features:
    """Bring an encoder's features of items to the rows that they belong to, side by side and in order.

    Args:
        features: Features of the items. Shape of the values: [I, T, D].
        rows: The row of each item, as in `Items.rows`. Shape: [I]. None: one item in each row.
        size: B.
        places: Where each item stands in its row, as in `Items.places`. Shape: [I].

    Returns:
        Features of the rows. A row without an item has no valid position; every item has a part in the graph.
    """
    if rows is None:
        if places is None:
            return features
        return replace(features, places=places.unsqueeze(1).expand(features.values.shape[:2]))
    count, length, width = features.values.shape
    place = torch.arange(count, device=rows.device) - torch.searchsorted(rows, rows)  # of an item among its row's
    place = place.masked_fill(rows < 0, 0)
    most = int(place.max()) + 1
    # Blank items go to a row of their own, which is cut off again: they stay in the graph with a gradient of zero.
    there = rows.where(rows >= 0, size), place
    values = features.values.new_zeros(size + 1, most, length, width).index_put(there, features.values)[:size]
    mask = torch.zeros(size + 1, most, length, dtype=torch.bool, device=rows.device)
    mask = mask.index_put(there, features.valid)[:size]
    items = torch.arange(most, device=rows.device)[None, :, None].expand(size, most, length)
    single = most == 1
    placed = ids = None
    if places is not None:
        placed = places.new_zeros(size + 1, most).index_put(there, places)[:size].repeat_interleave(length, dim=1)
    if features.ids is not None:
        ids = features.ids.new_zeros(size + 1, most, length).index_put(there, features.ids)[:size].flatten(1, 2)
    return Features(
        values.flatten(1, 2),
        mask.flatten(1, 2),
        grid=features.grid if single else None,
        rate=features.rate,
        items=None if single else items.flatten(1, 2),
        places=placed,
        ids=ids,
    )
