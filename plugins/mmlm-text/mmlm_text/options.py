"""The options of the tokenizers and of the text encoders. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mmlm_core.errors import OptionError
from mmlm_core.options import check_choices
from mmlm_core.ranges import check_range

__all__ = ["BpeOptions", "ByteOptions", "CharOptions", "EmbeddingOptions", "FileOptions", "Positions",
           "TransformerOptions", "UnigramOptions", "WordOptions", "WordPieceOptions"]  # fmt: skip

SPECIALS = 5
"""How many special tokens each vocabulary begins with."""


@dataclass
class BpeOptions:
    """Byte-level BPE: pieces of words, trained on the run's own text; no text is unknown to it."""

    vocabulary: int = 8000
    """Ids at most; at least 261: the special ones and the 256 bytes."""
    min_frequency: int = 2
    """Pairs that occur less often are not merged."""
    lowercase: bool = False
    """Turn all letters into small ones; decoding does not bring the capitals back."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "vocabulary", SPECIALS + 256)
        check_range(self, "min_frequency", 1)


@dataclass
class WordPieceOptions:
    """WordPiece: pieces of words, a piece inside a word marked by `##`, trained on the run's own text."""

    vocabulary: int = 8000
    """Ids at most; more where the text has more characters than that."""
    min_frequency: int = 2
    """Pairs that occur less often are not merged."""
    lowercase: bool = False
    """Turn all letters into small ones; decoding does not bring the capitals back."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "vocabulary", SPECIALS + 1)
        check_range(self, "min_frequency", 1)


@dataclass
class UnigramOptions:
    """Unigram pieces: the likeliest split of a text into pieces, trained on the run's own text."""

    vocabulary: int = 8000
    """Ids at most; more where the text has more characters than that."""
    lowercase: bool = False
    """Turn all letters into small ones; decoding does not bring the capitals back."""

    def __post_init__(self) -> None:
        """Check the range."""
        check_range(self, "vocabulary", SPECIALS + 1)


@dataclass
class CharOptions:
    """Characters, of any script; the natural units of Chinese."""

    vocabulary: int = 20000
    """Ids at most; the rarest characters are left out."""
    min_frequency: int = 1
    """Characters that occur less often are left out."""
    lowercase: bool = False
    """Turn all letters into small ones; decoding does not bring the capitals back."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "vocabulary", SPECIALS + 1)
        check_range(self, "min_frequency", 1)


@dataclass
class WordOptions:
    """Whole words, signs and Chinese characters; for small vocabularies, such as those of captions."""

    vocabulary: int = 20000
    """Ids at most; the rarest words are left out."""
    min_frequency: int = 1
    """Words that occur less often are left out."""
    lowercase: bool = False
    """Turn all letters into small ones; decoding does not bring the capitals back."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "vocabulary", SPECIALS + 1)
        check_range(self, "min_frequency", 1)


@dataclass
class ByteOptions:
    """The 256 bytes of UTF-8; nothing to train, no text is unknown to it."""


@dataclass
class FileOptions:
    """Any `tokenizer.json` of the `tokenizers` library, as Hugging Face models have one."""

    path: str = ""
    """The file, or the folder that holds it as `tokenizer.json`."""
    pad: str = ""
    """The token that pads; empty: found by its usual names (`<pad>`, `[PAD]`, ...), added where there is none."""
    begin: str = ""
    """The token that stands before a text; empty: found by its usual names (`<s>`, `[CLS]`, ...) or added."""
    end: str = ""
    """The token that ends a text; empty: found by its usual names (`</s>`, `[SEP]`, `<|endoftext|>`, ...) or added."""
    unknown: str = ""
    """The token of what is not in the vocabulary; empty: found by its usual names (`<unk>`, `[UNK]`, ...) or added."""
    mask: str = ""
    """The token that hides another; empty: found by its usual names (`<mask>`, `[MASK]`, ...) or added."""


@dataclass
class EmbeddingOptions:
    """The tokens' vectors, looked up in the vocabulary's table; what reads them in context is the backbone."""

    max_tokens: int = 512
    """Tokens of a text that are read; what follows is cut off, with one warning a process."""
    token_dropout: float = 0.0
    """Share of the tokens that are replaced by the unknown one in training."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "max_tokens", 1)
        check_range(self, "token_dropout", 0, 1)


class Positions(Enum):
    """How an encoder tells positions apart."""

    LEARNED = "learned"
    SINUSOIDAL = "sinusoidal"


@dataclass
class TransformerOptions:
    """A small Transformer that reads the text both ways, of the token table's width."""

    depth: int = 2
    """Layers."""
    heads: int = 4
    """Attention heads; they divide the width of the token table, which is the backbone's."""
    dropout: float = 0.1
    """Dropout of attention, feed-forward and residual branches."""
    positions: Positions = Positions.LEARNED
    """`learned` vectors, or `sinusoidal` ones (Vaswani et al. 2017)."""
    max_tokens: int = 512
    """Tokens of a text that are read; what follows is cut off, with one warning a process."""
    token_dropout: float = 0.0
    """Share of the tokens that are replaced by the unknown one in training."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_choices(self)
        for name in ("depth", "heads", "max_tokens"):
            check_range(self, name, 1)
        check_range(self, "token_dropout", 0, 1)
        check_range(self, "dropout", 0, 1)
        if self.dropout == 1:
            raise OptionError("`dropout` must be below 1, not 1.0.")
