"""Lays out a row whose text says by markers where the items of other modalities stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torch import Tensor

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Processor
from mmlm_core.types import Example

if TYPE_CHECKING:
    from mmlm_core.views import View

__all__ = ["TEXT", "Interleaving"]

TEXT = "text"


class Interleaving(Processor):
    """The processor of texts, before whose work a row's texts are cut at their markers.

    The pieces are items of the row as its pictures are, and each item stands where its marker stood. Modalities
    without a marker stand before the text or behind it.

    Args:
        processor: Of the texts.
        markers: The marker of each modality that has one.
        behind: Modalities without a marker that stand behind the text.
    """

    def __init__(self, processor: Processor, markers: Mapping[str, str], behind: Sequence[str]) -> None:
        self._processor = processor
        self._markers = dict(markers)
        self._behind = set(behind)

    def lay_out(self, example: Example) -> Example:
        """Return the row with its texts in pieces, and with the place of each item.

        Raises:
            DataError: There are more or fewer items of a modality than markers.
        """
        example = self._processor.lay_out(example)
        modalities = {marker: modality for modality, marker in self._markers.items()}
        places: dict[str, list[int]] = {TEXT: [], **{modality: [] for modality in self._markers}}
        pieces: list[Any] = []
        count = 0
        for text in example.inputs.get(TEXT) or ():
            for piece in _cut(text, tuple(modalities)):
                modality = modalities.get(piece, TEXT) if isinstance(piece, str) else TEXT
                places[modality].append(count)
                count += 1
                if modality == TEXT:
                    pieces.append(piece)
        for modality, marker in self._markers.items():
            given = len(example.inputs.get(modality) or ())
            if given != len(places[modality]):
                found = _times(len(places[modality]), f"marker `{marker}`")
                raise DataError(f"The text has {found} and the row has {_times(given, 'item')} of `{modality}`: each "
                                "item takes a marker's place.")  # fmt: skip
        for modality, items in example.inputs.items():
            if modality not in places:
                places[modality] = [count if modality in self._behind else -1] * len(items or ())
        return replace(example, inputs={**example.inputs, TEXT: pieces}, places=places)

    def length(self, item: Any) -> int:
        """See `Processor.length`."""
        return self._processor.length(item)

    def process(self, item: Any) -> dict[str, Tensor]:
        """See `Processor.process`."""
        return self._processor.process(item)

    def blank(self) -> dict[str, Tensor]:
        """See `Processor.blank`."""
        return self._processor.blank()

    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: Any) -> dict[str, Tensor]:
        """See `Processor.collate`."""
        return self._processor.collate(items, generator)

    def excess(self, item: Any) -> str:
        """See `Processor.excess`."""
        return self._processor.excess(item)

    def measures(self, tensors: Mapping[str, Tensor]) -> dict[str, float]:
        """See `Processor.measures`."""
        return self._processor.measures(tensors)

    def views(self, tensors: Mapping[str, Tensor]) -> list[View]:
        """See `Processor.views`."""
        return self._processor.views(tensors)

    def picture(self, item: Any) -> Any:
        """See `Processor.picture`."""
        return self._processor.picture(item)


def _cut(text: Any, markers: Sequence[str]) -> list[Any]:
    """Return the markers of a text and the pieces between them, in order; nothing of it is lost, and none is empty."""
    if not isinstance(text, str):
        return [text]  # the processor says what is wrong with it
    return [piece for piece in re.split(f"({'|'.join(map(re.escape, markers))})", text) if piece]


def _times(count: int, what: str) -> str:
    """Return a count of things, as `1 item` or `2 items`."""
    word, space, rest = what.partition(" ")
    return f"{count} {word}{'' if count == 1 else 's'}{space}{rest}"
