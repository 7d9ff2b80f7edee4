"""When a text is over: at its end token, or where it says one of the stop strings."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mmlm_core.interfaces import GenerativeHead

__all__ = ["Stopping"]


class Stopping:
    """Knows the end of a text by its end token and by the stop strings, which may begin and end within tokens.

    Args:
        head: What decodes the texts.
        strings: The stop strings, none of them empty.
    """

    def __init__(self, head: GenerativeHead, strings: Sequence[str]) -> None:
        self._head, self._strings = head, tuple(strings)

    def over(self, tokens: Tensor, texts: Tensor) -> Tensor:
        """Return which texts are over.

        Args:
            tokens: The latest token of each. Shape: [..., N].
            texts: All tokens of each, the latest too. Shape: [..., N, T].

        Shape: -> [..., N].
        """
        over = tokens == self._head.end
        if self._strings:
            said = (self.find(self._head.decode(ids)) is not None for ids in texts.flatten(0, -2).tolist())
            over = over | torch.tensor(list(said), device=over.device).view(over.shape)
        return over

    def find(self, text: str) -> int | None:
        """Return where the first stop string begins; None: the text has none."""
        places = [place for string in self._strings if (place := text.find(string)) >= 0]
        return min(places, default=None)

    def cut(self, text: str) -> str:
        """Return the text before the first stop string."""
        return text[: self.find(text)]

    def certain(self, text: str) -> int:
        """Return how many characters of a growing text are certain not to belong to a stop string."""
        found = self.find(text)
        if found is not None:
            return found
        starts = (string[:size] for string in self._strings for size in range(1, len(string)))
        return len(text) - max((len(start) for start in starts if text.endswith(start)), default=0)
