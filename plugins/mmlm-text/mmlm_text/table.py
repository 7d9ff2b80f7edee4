"""The token table of a text encoder: the one that all parts share, or its own; and the word vectors it begins with."""

from __future__ import annotations

import torch

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Tokenizer
from mmlm_core.tokens import TokenTable
from mmlm_text.options import TextOptions
from mmlm_text.vectors import read_vectors

__all__ = ["fill_table", "own_table"]


def own_table(options: TextOptions, shared: TokenTable) -> TokenTable:
    """Return the table that an encoder looks its tokens up in."""
    return shared if options.embedding_width is None else TokenTable(shared.vocabulary, options.embedding_width)


@torch.no_grad()
def fill_table(table: TokenTable, tokenizer: Tokenizer, options: TextOptions) -> str:
    """Put the vectors of `options.vectors` into a table, and return a line that tells how many words have one.

    A token is looked up as the text that it stands for, and then in small letters. Tokens without a vector are drawn
    with the standard deviation of the others, as Kim (2014) does.

    Raises:
        DataError: The file cannot be read, its vectors have another width than the table, or none is of use.
    """
    if options.vectors is None:
        return ""
    words = {token: text for token in range(tokenizer.vocabulary) if (text := str(tokenizer.decode([token])).strip())}
    vectors = read_vectors(options.vectors, {form for text in words.values() for form in (text, text.lower())})
    if vectors.width != table.width:
        own = "`embedding_width` is" if options.embedding_width else "the table that all parts share has"
        raise DataError(f"`{options.vectors}` has vectors of {vectors.width} values, and {own} {table.width}: set "
                        f"`encoder.text.embedding_width={vectors.width}`, or `backbone.width`.")  # fmt: skip
    found = {token: vector for token, text in words.items()
             if (vector := vectors.of.get(text, vectors.of.get(text.lower()))) is not None}  # fmt: skip
    if not found:
        raise DataError(f"`{options.vectors}` has a vector of none of the {len(words):,} tokens: vectors of words are "
                        "for tokens that are words, as `tokenizer=word` makes them.")  # fmt: skip
    known = torch.stack(list(found.values()))
    weight = table.embedding.weight
    weight.copy_(torch.randn(weight.shape) * known.std())
    weight[list(found)] = known.to(weight)
    return f"{options.vectors}: vectors of {len(found):,} of {len(words):,} tokens ({len(found) / len(words):.1%})"
