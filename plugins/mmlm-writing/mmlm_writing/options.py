"""The options of the heads that write: the only place where their defaults stand. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core.errors import OptionError, did_you_mean, one_of
from mmlm_core.ranges import check_range

__all__ = ["ASSISTANT", "BLEU_TOKENIZERS", "ROLES", "SYSTEM", "USER", "AnsweringOptions", "CaptioningOptions",
           "DialogueOptions", "LanguageModelingOptions", "ParsingOptions", "SummarizationOptions", "TextOptions",
           "TextToTextOptions", "TokenOutputOptions", "TranscriptionOptions", "TranslationOptions"]  # fmt: skip

ROLES = SYSTEM, USER, ASSISTANT = ("system", "user", "assistant")
"""Who speaks in a dialogue: `system` says beforehand what is expected, then `user` and `assistant` take turns."""

BLEU_TOKENIZERS = ("auto", "13a", "zh", "char", "intl", "none")
"""Tokenizers of sacreBLEU that need nothing further installed, and `auto`."""


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
    pack: bool = False
    """Training puts several short texts into one row of `context`, each read as if alone: less padding."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        check_range(self, "context", 1)
        check_range(self, "overlap", 0)
        if self.overlap >= self.context:
            raise OptionError(f"`overlap` must be below `context`, which is {self.context}, not {self.overlap}.")


@dataclass
class TextOptions(TokenOutputOptions):
    """What every head has that writes a text about something."""

    max_tokens: int = 128
    """Tokens of a target at most."""
    truncate: bool = False
    """Cut longer targets in training (and teach no end there); false: such a row is refused."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        check_range(self, "max_tokens", 1)


@dataclass
class TextToTextOptions(TextOptions):
    """What every head has that makes a text of a text."""

    copy: bool = False
    """A token may also be copied from where it stands in the text that is read (CopyNet, Gu et al. 2016). Training then
    holds the logits of all tokens at once."""


@dataclass
class CaptioningOptions(TextOptions):
    """A text about the inputs, token after token: a caption."""

    bleu_tokenizer: str = "auto"
    """sacreBLEU's tokenizer: `13a`, `zh`, `char`, `intl`, `none`; `auto`: by the letters of the references `zh` where
    most are Chinese, `char` where they are Japanese, else `13a`."""

    def __post_init__(self) -> None:
        """Check the ranges and the tokenizer."""
        super().__post_init__()
        check_bleu_tokenizer(self.bleu_tokenizer)


@dataclass
class TranslationOptions(TextToTextOptions):
    """A text in another language, token after token."""

    bleu_tokenizer: str = "auto"
    """sacreBLEU's tokenizer: `13a`, `zh`, `char`, `intl`, `none`; `auto`: by the letters of the references `zh` where
    most are Chinese, `char` where they are Japanese, else `13a`."""
    chrf_words: int = 0
    """The longest run of words that chrF counts beside characters: 0 is chrF, 2 is chrF++."""

    def __post_init__(self) -> None:
        """Check the ranges and the tokenizer."""
        super().__post_init__()
        check_bleu_tokenizer(self.bleu_tokenizer)
        check_range(self, "chrf_words", 0, 4)


@dataclass
class SummarizationOptions(TextToTextOptions):
    """A shorter text of the same content, token after token."""

    stem: bool = False
    """ROUGE compares the stems of English words, as rouge-score's `use_stemmer`."""


@dataclass
class AnsweringOptions(TextToTextOptions):
    """A short answer to a question, in words of the model's own, token after token."""

    max_tokens: int = 32
    """Tokens of an answer at most."""


@dataclass
class DialogueOptions(TextOptions):
    """The assistant's next message in a conversation, token after token; its messages alone are learnt."""

    max_tokens: int = 512
    """Tokens of a whole conversation at most."""
    bleu_tokenizer: str = "auto"
    """sacreBLEU's tokenizer: `13a`, `zh`, `char`, `intl`, `none`; `auto`: by the letters of the references `zh` where
    most are Chinese, `char` where they are Japanese, else `13a`."""

    def __post_init__(self) -> None:
        """Check the ranges and the tokenizer."""
        super().__post_init__()
        check_bleu_tokenizer(self.bleu_tokenizer)


@dataclass
class ParsingOptions(TextToTextOptions):
    """The structured form of an input, token after token: JSON of a schema, or a form of a grammar."""

    max_tokens: int = 256
    """Tokens of a form at most."""
    schema: str = "{}"
    """The JSON schema that forms keep to, itself or its file; `{}`: any JSON; empty: forms are no JSON."""
    grammar: str = ""
    """Instead of a schema: the grammar that forms keep to, itself or its file, in llguidance's dialect of Lark."""
    constrain: bool = True
    """What is generated keeps to the schema or the grammar; false: the model writes what it likes."""

    def __post_init__(self) -> None:
        """Check the ranges, and that there is one grammar at most."""
        super().__post_init__()
        if self.grammar and self.schema not in ("", "{}"):
            raise OptionError("`grammar` must be empty where there is a `schema`: forms keep to one of them.")


@dataclass
class TranscriptionOptions(TextOptions):
    """What an input says, word for word, token after token."""

    max_tokens: int = 256
    """Tokens of a transcript at most."""


def check_bleu_tokenizer(name: str) -> None:
    """Check the option `bleu_tokenizer`.

    Raises:
        OptionError: It is no tokenizer of sacreBLEU.
    """
    if name not in BLEU_TOKENIZERS:
        near = did_you_mean(name, BLEU_TOKENIZERS)
        raise OptionError(
            f"`bleu_tokenizer` must be a tokenizer of sacreBLEU, not `{name}`.{near}{one_of(BLEU_TOKENIZERS)}"
        )
