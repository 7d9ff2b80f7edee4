"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmlm_core import Component, Traits, hookimpl
from mmlm_text.options import (
    BpeOptions,
    ByteOptions,
    CharOptions,
    CnnOptions,
    EmbeddingOptions,
    FileOptions,
    RnnOptions,
    TextFeatures,
    TransformerOptions,
    UnigramOptions,
    WordOptions,
    WordPieceOptions,
)

__all__ = ["MMLM_API", "mmlm_components"]

MMLM_API = 1

_TOKENIZER = Traits(provides=frozenset({"offsets"}))
_ENCODER = Traits(provides=frozenset({"sequence", "tokens"}), uses_tokenizer=True)
_BYTES = Path(__file__).parent / "bytes" / "tokenizer.json"  # a file as other libraries write it, for tests


@hookimpl
def mmlm_components() -> Sequence[Component]:
    """Return the tokenizers and the text encoders."""
    return [
        Component("tokenizer", "bpe", BpeOptions, "mmlm_text.bpe:BpeTokenizer", traits=_TOKENIZER,
                  tiny={"vocabulary": 261}),
        Component("tokenizer", "byte", ByteOptions, "mmlm_text.byte:ByteTokenizer", traits=_TOKENIZER),
        Component("tokenizer", "char", CharOptions, "mmlm_text.char:CharTokenizer", traits=_TOKENIZER,
                  tiny={"vocabulary": 64}),
        Component("tokenizer", "file", FileOptions, "mmlm_text.file:FileTokenizer", traits=_TOKENIZER,
                  tiny={"path": str(_BYTES)}),
        Component("tokenizer", "unigram", UnigramOptions, "mmlm_text.unigram:UnigramTokenizer", traits=_TOKENIZER,
                  tiny={"vocabulary": 64}),
        Component("tokenizer", "word", WordOptions, "mmlm_text.word:WordTokenizer", traits=_TOKENIZER,
                  tiny={"vocabulary": 64}),
        Component("tokenizer", "wordpiece", WordPieceOptions, "mmlm_text.wordpiece:WordPieceTokenizer",
                  traits=_TOKENIZER, tiny={"vocabulary": 64}),
        Component("encoder/text", "cnn", CnnOptions, "mmlm_text.cnn:CnnEncoder", traits=_cnn_traits,
                  tiny={"sizes": [2, 3], "channels": 8, "max_tokens": 16}),
        Component("encoder/text", "embedding", EmbeddingOptions, "mmlm_text.embedding:EmbeddingEncoder",
                  traits=_ENCODER, tiny={"max_tokens": 16}),
        Component("encoder/text", "rnn", RnnOptions, "mmlm_text.rnn:RnnEncoder", traits=_ENCODER,
                  tiny={"width": 16, "max_tokens": 16}),
        Component("encoder/text", "transformer", TransformerOptions, "mmlm_text.transformer:TransformerEncoder",
                  traits=_ENCODER, tiny={"depth": 1, "heads": 2, "max_tokens": 16}),
    ]  # fmt: skip


def _cnn_traits(options: CnnOptions) -> Traits:
    pooled = options.features is TextFeatures.pooled
    return Traits(provides=frozenset({"pooled"} if pooled else {"sequence", "tokens"}), uses_tokenizer=True)
