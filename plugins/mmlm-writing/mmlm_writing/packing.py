"""Packs several texts into one row, where a model reads nothing but them: next to no position is padding then."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmlm_core.targets import IGNORED

__all__ = ["fitted", "levelled", "pack"]


def fitted(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Return which texts share a row: the longest first, each into the first row that has room (Johnson 1973).

    Args:
        lengths: Of the texts, in positions.
        room: Positions of a row; a longer text has a row of its own.

    Returns:
        The texts of each row, by their numbers.
    """
    rows: list[list[int]] = []
    left: list[int] = []
    for text in sorted(range(len(lengths)), key=lambda text: -lengths[text]):
        row = next((row for row, free in enumerate(left) if free >= lengths[text]), None)
        if row is None:
            rows.append([text])
            left.append(room - lengths[text])
        else:
            rows[row].append(text)
            left[row] -= lengths[text]
    return rows


def levelled(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Return which texts share a row, in no more rows than `fitted` needs and about as full as each other.

    What is left of the last row would be padding; so the rows are made as short as their number allows.
    """
    rows = fitted(lengths, room)
    least, most = max(*lengths, -(-sum(lengths) // len(rows)), 0), room
    while least < most:
        middle = (least + most) // 2
        tried = fitted(lengths, middle)
        if len(tried) > len(rows):
            least = middle + 1
        else:
            rows, most = tried, middle
    return rows


def pack(ids: Sequence[Tensor], labels: Sequence[Tensor], room: int, pad: int) -> dict[str, Tensor]:
    """Return texts packed into N rows of at most `room` positions.

    Args:
        ids: Of each text. Shape of each: [positions].
        labels: Likewise.
        room: Positions of a row.
        pad: Id of padding, behind a row's last text.

    Returns:
        `ids`, `labels`, the text of each position in its row as `documents` [N, T], `lengths` [N], and `mask` [N, T]
        where these differ.
    """
    rows = levelled([len(text) for text in ids], room)
    lengths = torch.tensor([sum(len(ids[text]) for text in row) for row in rows])
    documents = [torch.tensor([number for number, text in enumerate(row) for _ in ids[text]]) for row in rows]
    made = {
        "ids": pad_sequence([torch.cat([ids[text] for text in row]) for row in rows], True, pad),
        "labels": pad_sequence([torch.cat([labels[text] for text in row]) for row in rows], True, IGNORED),
        "documents": pad_sequence(documents, True),
        "lengths": lengths,
    }
    longest = made["ids"].shape[1]
    return made if bool((lengths == longest).all()) else {**made, "mask": torch.arange(longest) < lengths.unsqueeze(1)}
