"""The contract of heads that write token after token."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from mmlm_core.interfaces.constraint import Constraint
from mmlm_core.interfaces.head import Head
from mmlm_core.types import Batch, Features, Memory

__all__ = ["GenerativeHead"]


class GenerativeHead(Head):
    """A head whose queries are the embedded tokens that stand before the next one.

    It reads `QUERIES` and is causal. The generation loop embeds a prompt, lets the model read it, and asks for logits.
    Where texts must keep to a form, `constraints` says which tokens may follow, whatever is likely.

    Attributes:
        end: Id of the token that ends a sequence.
        pad: Id of padding.
        replies: Whether it answers a row's prompt, so that what it writes has a reference even where the model has no
            inputs.
    """

    causal = True
    replies: bool = False
    end: int
    pad: int

    @abstractmethod
    def prompt(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the ids that each row's generation begins with, and how many they are; at least one.

        Shape: ids [B, P], padded behind; lengths [B].
        """

    @abstractmethod
    def embed(self, ids: Tensor) -> Tensor:
        """Return the vectors of tokens.

        Shape: [B, T] -> [B, T, D].
        """

    @abstractmethod
    def logits(self, hidden: Tensor) -> Tensor:
        """Return each token's score at a position, by the hidden state alone.

        Shape: [..., D] -> [..., V].
        """

    def remember(self, outputs: Mapping[str, Features]) -> Memory:
        """Return what it looks back at when it scores a token, computed once for all steps; by default nothing.

        Args:
            outputs: As in `loss`.
        """
        del outputs
        return {}

    def scores(self, hidden: Tensor, memory: Memory) -> Tensor:
        """Return each token's score, with what `remember` returned, which is what generation asks for; by default the
        logits.

        Shape: [B, T, D] -> [B, T, V].
        """
        del memory
        return self.logits(hidden)

    def constraints(self, batch: Batch) -> Sequence[Constraint | None] | None:
        """Return what each row's text must keep to, behind its prompt; None: nothing, for a row or for all.

        Called once a generation. A text that `max_tokens` cuts may break off in the middle of its form; its prediction
        then says that it has not `ended`.

        Example:
            >>> class Code(Captioning):  # doctest: +SKIP
            ...     def constraints(self, batch):
            ...         return [Digits(4, self.digits, self.end, self.tokens.table.vocabulary)] * batch.size
        """
        del batch
        return None

    @abstractmethod
    def decode(self, ids: Sequence[int]) -> Any:
        """Return the item (a text) that generated ids stand for; special ids are left out."""
