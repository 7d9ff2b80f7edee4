"""Items whose features are known: the data workers read these in the place of what an encoder would read.

Where they are not known yet, the item is processed as ever, and carries the digest of its content, by which its
features are kept once the encoder has made them. A batch may have items of both kinds. On its way to the model the
tensors of its items are named so:

    known/values    [K, T, D]     known/mask [K, T], left out where all are as long
    pending/NAME    [J, ...]      what the processor collates of the others; pending/digest [J, 16], zeros: none to keep
    order           [I]           the place of each item among the known ones and the pending ones behind them
    NAME            [I, ...]      what the processor makes of an item beside its content
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmlm_core.data.contents import DIGEST_BYTES, digest_of
from mmlm_core.data.feature_store import FeatureStore
from mmlm_core.interfaces import Processor
from mmlm_core.types import Example
from mmlm_core.views import View

__all__ = ["DIGEST", "KNOWN", "MASK", "ORDER", "PENDING", "VALUES", "Recalling", "is_pending", "under"]

DIGEST, VALUES, MASK, ORDER = "digest", "values", "mask", "order"
KNOWN, PENDING = "known/", "pending/"
BLANK = bytes([255]) * DIGEST_BYTES
"""The digest of the blank item."""


class Recalling(Processor):
    """A processor whose items come as their features, where these are known.

    Args:
        processor: The encoder's own; `content` names the tensors that features replace.
        store: The features of the encoder.
    """

    def __init__(self, processor: Processor, store: FeatureStore) -> None:
        self.processor = processor
        self.store = store
        self.content = processor.content

    def lay_out(self, example: Example) -> Example:
        """See `Processor.lay_out`."""
        return self.processor.lay_out(example)

    def length(self, item: Any) -> int:
        """See `Processor.length`."""
        return self.processor.length(item)

    def process(self, item: Any) -> dict[str, Tensor]:
        """Return the features of an item, and its other tensors; or, where they are not known, all of its tensors."""
        digest = digest_of(item)
        known = None if digest is None else self.store.find(digest)
        return self._pending(self.processor.process(item), digest) if known is None else known

    def blank(self) -> dict[str, Tensor]:
        """See `Processor.blank`."""
        known = self.store.find(BLANK)
        return self._pending(self.processor.blank(), BLANK) if known is None else known

    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: torch.Generator | None) -> dict[str, Tensor]:
        """Collate those that are known and those that are not apart. See the module for what it returns."""
        known = [place for place, item in enumerate(items) if VALUES in item]
        pending = [place for place, item in enumerate(items) if VALUES not in item]
        others = [name for name in items[0] if name not in (*self.content, VALUES, DIGEST)]
        made = {name: torch.stack([item[name] for item in items]) for name in others}
        made[ORDER] = torch.tensor([*known, *pending]).argsort()
        if known:
            values = [items[place][VALUES] for place in known]
            lengths = torch.tensor([len(value) for value in values])
            made[KNOWN + VALUES] = pad_sequence(values, batch_first=True)
            if lengths.min() < lengths.max():
                made[KNOWN + MASK] = torch.arange(int(lengths.max())) < lengths.unsqueeze(1)
        if pending:
            nothing = torch.zeros(DIGEST_BYTES, dtype=torch.uint8)
            made[PENDING + DIGEST] = torch.stack([items[place].get(DIGEST, nothing) for place in pending])
            raw = [{name: tensor for name, tensor in items[place].items() if name != DIGEST} for place in pending]
            made |= {PENDING + name: tensor for name, tensor in self.processor.collate(raw, generator).items()}
        return made

    def excess(self, item: Any) -> str:
        """See `Processor.excess`."""
        return self.processor.excess(item)

    def measures(self, tensors: Mapping[str, Tensor]) -> dict[str, float]:
        """See `Processor.measures`; nothing is measured of an item whose features are known."""
        return {} if VALUES in tensors else self.processor.measures(tensors)

    def views(self, tensors: Mapping[str, Tensor]) -> list[View]:
        """Return none: the items are to show themselves."""
        return []

    def picture(self, item: Any) -> Any:
        """See `Processor.picture`."""
        return self.processor.picture(item)

    def _pending(self, tensors: dict[str, Tensor], digest: bytes | None) -> dict[str, Tensor]:
        if digest is None or self.store.ended:
            return tensors
        return {**tensors, DIGEST: torch.frombuffer(bytearray(digest), dtype=torch.uint8)}


def is_pending(items: Sequence[Mapping[str, Tensor]]) -> bool:
    """Whether features of some items will be known the next time, so that the items are not worth being kept."""
    return any(DIGEST in item for item in items)


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
