"""The one embedding table of a tokenizer's vocabulary, shared by whoever embeds or emits its tokens."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["TokenTable"]


class TokenTable(nn.Module):
    """Vectors of tokens, and logits over them.

    The text encoder `embedding`, a head's queries and (where it is tied) the output layer use this one table. A
    pretrained backbone brings its own, as a subclass or by assigning `embedding`.

    Args:
        vocabulary: V.
        width: D.
    """

    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embedding.weight, std=0.02)

    @property
    def vocabulary(self) -> int:
        """V."""
        return self.embedding.num_embeddings

    @property
    def width(self) -> int:
        """D."""
        return self.embedding.embedding_dim

    def forward(self, ids: Tensor) -> Tensor:
        """Return the tokens' vectors.

        Shape: ids [B, T] -> [B, T, D].
        """
        return self.embedding(ids)  # type: ignore[no-any-return]

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the score of each token of the vocabulary, by the same vectors.

        Shape: hidden [..., D] -> [..., V].
        """
        return functional.linear(hidden, self.embedding.weight)
