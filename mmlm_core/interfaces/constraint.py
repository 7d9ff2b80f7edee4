"""The contract of constraints: which tokens may follow in a text that must keep to a form, such as a grammar."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

__all__ = ["Constraint"]


class Constraint(ABC):
    """What may follow one row's text, as far as it has been generated: a state of an automaton.

    It never changes: each token leads to another constraint. So beams may share one, and go on from it differently; an
    automaton may return the same object wherever it comes to the same state, and keep the mask there.

    A head gives one for each row, in `GenerativeHead.constraints`. Greedy decoding, sampling and beams keep to it.

    Example:
        >>> class Digits(Constraint):  # so many digits, and then the end
        ...     def __init__(self, left, digits, end, vocabulary):
        ...         self.left, self.digits, self.end, self.vocabulary = left, digits, end, vocabulary
        ...
        ...     def allowed(self):
        ...         mask = torch.zeros(self.vocabulary, dtype=torch.bool)
        ...         mask[self.digits if self.left else self.end] = True
        ...         return mask
        ...
        ...     def after(self, token):
        ...         return Digits(self.left - 1, self.digits, self.end, self.vocabulary)
    """

    @abstractmethod
    def allowed(self) -> Tensor:
        """Return which tokens may come next, on the CPU: at least one; the end token where the text may end here.

        Shape: [V], bool.
        """

    @abstractmethod
    def after(self, token: int) -> Constraint:
        """Return the constraint behind one more token: an allowed one, and never the end token."""
