"""The options of the heads: the only place where their defaults stand. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mmlm_core.errors import OptionError, did_you_mean, one_of
from mmlm_core.options import check_choices
from mmlm_core.ranges import check_range

__all__ = ["BLEU_TOKENIZERS", "CaptioningOptions", "ClassWeights", "ClassificationOptions", "LanguageModelingOptions",
           "Pooling", "TokenOutputOptions"]  # fmt: skip


BLEU_TOKENIZERS = ("auto", "13a", "zh", "char", "intl", "none")
"""Tokenizers of sacreBLEU that need nothing further installed, and `auto`."""


class Pooling(Enum):
    """What a classification reads."""

    query = "query"
    mean = "mean"
    max = "max"
    last = "last"


class ClassWeights(Enum):
    """How much a training row counts."""

    none = "none"
    balanced = "balanced"


@dataclass
class ClassificationOptions:
    """One label out of those of the training data, for a whole row."""

    pooling: Pooling = Pooling.query
    """`query`: a learned position, as BERT's `[CLS]`; `mean`, `max`, `last`: over the inputs' own valid positions."""
    label_smoothing: float = 0.0
    """Share of the target that is spread over all labels, in training alone (Szegedy et al. 2016)."""
    dropout: float = 0.1
    """Dropout before the output layer."""
    class_weights: ClassWeights = ClassWeights.none
    """`balanced`: a training row counts rows / (labels * rows of its label), so that rare labels count as much."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_choices(self)
        check_range(self, "label_smoothing", 0, 0.999)
        check_range(self, "dropout", 0, 0.999)


@dataclass
class TokenOutputOptions:
    """What every head that writes token after token has."""

    tie: bool = True
    """The output layer is the token table itself (Press and Wolf 2017); false: a layer of its own."""
    label_smoothing: float = 0.0
    """Share of the target that is spread over the vocabulary, in training alone."""
    dropout: float = 0.0
    """Dropout on the embedded tokens."""
    token_dropout: float = 0.0
    """Share of the tokens read in training that are replaced by `unknown`, so that the inputs are looked at more."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "label_smoothing", 0, 0.999)
        check_range(self, "dropout", 0, 0.999)
        check_range(self, "token_dropout", 0, 0.999)


@dataclass
class LanguageModelingOptions(TokenOutputOptions):
    """The text itself, token after token, as in GPT; a text of any length is read by windows."""

    context: int = 256
    """Tokens of a window. Training draws one window of a longer text at random; evaluation scores all of it."""
    overlap: int = 0
    """Tokens before a window of an evaluation that it reads again without scoring them; the more, the slower and the
    lower the loss."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        check_range(self, "context", 1)
        check_range(self, "overlap", 0)
        if self.overlap >= self.context:
            raise OptionError(f"`overlap` must be below `context`, which is {self.context}, not {self.overlap}.")


@dataclass
class CaptioningOptions(TokenOutputOptions):
    """A text about the inputs, token after token: a caption."""

    max_tokens: int = 128
    """Tokens of a caption at most."""
    truncate: bool = False
    """Cut longer captions in training (and teach no end there); false: such a row is refused."""
    bleu_tokenizer: str = "auto"
    """sacreBLEU's tokenizer: `13a`, `zh`, `char`, `intl`, `none`; `auto`: by the letters of the references `zh` where
    most are Chinese, `char` where they are Japanese, else `13a`."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        check_range(self, "max_tokens", 1)
        if self.bleu_tokenizer not in BLEU_TOKENIZERS:
            near = did_you_mean(self.bleu_tokenizer, BLEU_TOKENIZERS)
            raise OptionError(
                f"`bleu_tokenizer` must be a tokenizer of sacreBLEU, not `{self.bleu_tokenizer}`."
                f"{near}{one_of(BLEU_TOKENIZERS)}"
            )
