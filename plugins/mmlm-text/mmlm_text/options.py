"""The options of the tokenizers and of the text encoders. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum

from mmlm_core.errors import OptionError
from mmlm_core.options import check_choices
from mmlm_core.ranges import check_range

__all__ = ["BpeOptions", "ByteOptions", "Cell", "CharOptions", "CnnOptions", "EmbeddingOptions", "FileOptions",
           "Positions", "RnnOptions", "TextFeatures", "TextOptions", "TransformerOptions", "UnigramOptions",
           "WordOptions", "WordPieceOptions"]  # fmt: skip

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
class TextOptions:
    """What every encoder of text asks."""

    max_tokens: int = 512
    """Tokens of a text that are read; what follows is cut off, with one warning a process."""
    token_dropout: float = 0.0
    """Share of the tokens that are replaced by the unknown one in training."""
    embedding_width: int | None = None
    """Width of a table of this encoder's own; None: the one table that all parts share, as wide as the backbone."""
    vectors: str | None = None
    """A file of word vectors that the table begins with: of Word2Vec (text or binary), GloVe or fastText (`.vec`)."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "max_tokens", 1)
        check_range(self, "token_dropout", 0, 1)
        check_range(self, "embedding_width", 1)


@dataclass
class EmbeddingOptions(TextOptions):
    """The tokens' vectors, looked up in the vocabulary's table; what reads them in context is the backbone."""


class Positions(Enum):
    """How an encoder tells positions apart."""

    LEARNED = "learned"
    SINUSOIDAL = "sinusoidal"


@dataclass
class TransformerOptions(TextOptions):
    """A small Transformer that reads the text both ways, of the token table's width."""

    depth: int = 2
    """Layers."""
    heads: int = 4
    """Attention heads; they divide the width of the token table."""
    dropout: float = 0.1
    """Dropout of attention, feed-forward and residual branches."""
    positions: Positions = Positions.LEARNED
    """`learned` vectors, or `sinusoidal` ones (Vaswani et al. 2017)."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        check_choices(self)
        check_range(self, "depth", 1)
        check_range(self, "heads", 1)
        check_range(self, "dropout", 0, 1)
        if self.dropout == 1:
            raise OptionError("`dropout` must be below 1, not 1.0.")


class Cell(StrEnum):
    """The cell of a recurrent network."""

    gru = "gru"
    lstm = "lstm"


@dataclass
class RnnOptions(TextOptions):
    """A recurrent network that reads the text both ways (Schuster & Paliwal 1997)."""

    cell: Cell = Cell.gru
    """`gru` (Cho et al. 2014) or `lstm` (Hochreiter & Schmidhuber 1997)."""
    width: int = 256
    """Width of the features, half of it of each direction."""
    depth: int = 1
    """Layers."""
    dropout: float = 0.1
    """Share of the tokens' vectors, and of what lies between the layers, that is dropped in training."""

    def __post_init__(self) -> None:
        """Check the ranges, and that both directions have the same width."""
        super().__post_init__()
        check_choices(self)
        check_range(self, "width", 2)
        check_range(self, "depth", 1)
        check_range(self, "dropout", 0, 0.95)
        if self.width % 2:
            raise OptionError(f"`width` must be even, since half of it is of each direction, not {self.width}.")


class TextFeatures(StrEnum):
    """Which features of a text are given on."""

    tokens = "tokens"
    pooled = "pooled"


@dataclass
class CnnOptions(TextOptions):
    """Convolutions over word sequences of several lengths (Kim 2014)."""

    sizes: list[int] = field(default_factory=lambda: [3, 4, 5])
    """Tokens that a convolution reads, one convolution each."""
    channels: int = 100
    """Channels of each convolution; the features' width is this times the number of `sizes`."""
    features: TextFeatures = TextFeatures.pooled
    """`pooled`: one vector a text, the greatest value of each channel; `tokens`: one vector at each token."""
    dropout: float = 0.5
    """Share of the features that is dropped in training."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        check_choices(self)
        check_range(self, "channels", 1)
        check_range(self, "dropout", 0, 0.95)
        if not self.sizes or min(self.sizes) < 1:
            raise OptionError(f"`sizes` must have at least one length, each at least 1, not {list(self.sizes)}.")
