"""What a row's two items are called, so that rows that share one are known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmlm_core.errors import DataError
from mmlm_core.interfaces import TargetProcessor
from mmlm_core.types import Example, Items

__all__ = ["Pairs", "digest"]


class Pairs(TargetProcessor):
    """Gives each modality's items of a row a number that follows from their content. Targets are not looked at.

    Args:
        modalities: The two, sorted.
    """

    def __init__(self, modalities: Sequence[str]) -> None:
        self._modalities = tuple(modalities)

    def process(self, example: Example, inputs: dict[str, list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        """Return `digests` [2]; 0 for a modality that the row has not.

        Raises:
            DataError: The row has neither.
        """
        if not any(inputs.get(name) for name in self._modalities):
            raise DataError(f"The row must have {' or '.join(f'`{name}`' for name in self._modalities)}; it has none.")
        return {
            "digests": torch.tensor(
                [digest(example.inputs.get(name) or (), inputs.get(name) or ()) for name in self._modalities]
            )
        }

    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Stack the numbers: `digests` [B, 2]."""
        return {"digests": torch.stack([target["digests"] for target in targets])}


def digest(items: Sequence[Any], tensors: Sequence[Mapping[str, Tensor]]) -> int:
    """Return a number that equal items have, and in practice no others: 63 bits; 0 for no items.

    Texts and bytes are told by themselves, so that two texts whose words the tokenizer does not know stay two; other
    items by what their processor made of them.
    """
    if not tensors:
        return 0
    hashed = hashlib.blake2b(digest_size=8)
    if all(isinstance(item, str | bytes) for item in items):
        parts = [item.encode("utf-8", "surrogatepass") if isinstance(item, str) else item for item in items]
    else:
        parts = [_content(tensor) for item in tensors for _, tensor in sorted(item.items())]
    for part in parts:
        hashed.update(len(part).to_bytes(8, "little"))
        hashed.update(part)
    return int.from_bytes(hashed.digest(), "little") >> 1 or 1


def _content(tensor: Tensor) -> bytes:
    raw = tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
    return f"{tensor.dtype}{tuple(tensor.shape)}".encode() + raw
