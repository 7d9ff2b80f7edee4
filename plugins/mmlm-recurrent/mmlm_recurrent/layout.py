"""Which positions one run of a recurrent layer goes over: a row, or each document of a row apart."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmlm_core.types import Features

__all__ = ["Documents", "lengths_of"]


def lengths_of(sequence: Features) -> Tensor | None:
    """Return the number of valid positions of each row; None where every position is valid.

    Shape: [B].
    """
    return None if sequence.mask is None else sequence.mask.sum(dim=1)


@dataclass(frozen=True)
class Documents:
    """The documents of packed rows, as rows of their own.

    Attributes:
        rows: Row of each valid position. Shape: [M].
        columns: Its position in that row. Shape: [M].
        documents: Its document, counted over all rows. Shape: [M].
        places: Its position in that document. Shape: [M].
        lengths: Positions of each document, on the CPU. Shape: [N].
    """

    rows: Tensor
    columns: Tensor
    documents: Tensor
    places: Tensor
    lengths: Tensor

    @classmethod
    def of(cls, numbers: Tensor, valid: Tensor) -> Documents:
        """Find the documents.

        Args:
            numbers: The document of each position, counted from 0 in each row. Shape: [B, T].
            valid: Shape: [B, T].
        """
        rows, columns = valid.nonzero(as_tuple=True)
        flat = numbers[rows, columns]
        first = torch.ones_like(rows, dtype=torch.bool)
        first[1:] = (rows[1:] != rows[:-1]) | (flat[1:] != flat[:-1])
        documents = first.cumsum(0) - 1
        starts = first.nonzero().squeeze(1)
        places = torch.arange(len(rows), device=rows.device) - starts[documents]
        return cls(rows, columns, documents, places, torch.bincount(documents).cpu())

    def apart(self, values: Tensor) -> Tensor:
        """Return each document as a row.

        Shape: [B, T, D] -> [N, L, D], L positions of the longest document.
        """
        shape = (len(self.lengths), int(self.lengths.max()), values.shape[-1])
        return values.new_zeros(shape).index_put((self.documents, self.places), values[self.rows, self.columns])

    def together(self, values: Tensor, like: Tensor) -> Tensor:
        """Return the documents where they stood in the rows; zeros at invalid positions.

        Args:
            values: Shape: [N, L, D].
            like: Shape: [B, T, D].
        """
        found = values[self.documents, self.places]
        return found.new_zeros(like.shape).index_put((self.rows, self.columns), found)
