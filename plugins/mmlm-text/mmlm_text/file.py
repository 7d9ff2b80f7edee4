"""Any `tokenizer.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tokenizers import Regex, pre_tokenizers
from tokenizers import Tokenizer as Library

from mmlm_core.errors import OptionError
from mmlm_text.fast import FILE, SPECIALS, FastTokenizer, id_of, special
from mmlm_text.options import FileOptions

__all__ = ["FileTokenizer"]

_USUAL = {
    "pad": ("<pad>", "[PAD]", "<|pad|>", "<|padding|>", "<PAD>", "<|finetune_right_pad_id|>"),
    "begin": ("<begin>", "<s>", "[CLS]", "<bos>", "[BOS]", "<|begin_of_text|>", "<|startoftext|>", "<|endoftext|>"),
    "end": ("<end>", "</s>", "[SEP]", "<eos>", "[EOS]", "<|end_of_text|>", "<|endoftext|>", "<|im_end|>"),
    "unknown": ("<unknown>", "<unk>", "[UNK]", "<|unk|>", "<UNK>"),
    "mask": ("<mask>", "[MASK]", "<|mask|>", "<MASK>"),
}
"""The names that published tokenizers give to the special tokens; the first that is there is taken."""


class FileTokenizer(FastTokenizer):
    """A `tokenizer.json` of the `tokenizers` library; special tokens that it lacks are added behind its own.

    The file is read when it is first needed, so that a run, which keeps a copy, does not need it again. What would make
    encoding depend on more than the text (padding, truncation, merge dropout) is switched off.
    """

    def __init__(self, options: FileOptions) -> None:
        super().__init__()
        self.options = options

    def train(self, corpus: Iterable[Any]) -> None:
        """Read the file; the corpus is left alone.

        Raises:
            OptionError: The file is missing or is no tokenizer.
        """
        del corpus
        self._ready()

    def make(self, texts: Iterator[str]) -> Library:
        """Return the library's tokenizer of the file."""
        del texts
        if not self.options.path:
            raise OptionError("`tokenizer.path` must name a `tokenizer.json`; none is given.")
        path = Path(self.options.path).expanduser()
        path = path / FILE if path.is_dir() else path
        try:
            return Library.from_str(path.read_text(encoding="utf-8"))
        except Exception as error:  # the library raises bare ones
            reason = getattr(error, "strerror", None) or error
            raise OptionError(f"`tokenizer.path` must name a `tokenizer.json`; `{path}` is none: {reason}.") from error

    def _prepare(self, library: Library) -> tuple[Library, tuple[int, ...]]:
        library.no_padding()
        library.no_truncation()
        if getattr(library.model, "dropout", None) is not None:
            library.model.dropout = None
        names = [self._name(library, role, usual) for role, usual in _USUAL.items()]
        library.add_special_tokens(special(names))
        return library, tuple(id_of(library, name) for name in names)

    def _name(self, library: Library, role: str, usual: tuple[str, ...]) -> str:
        """Return the name of a special token: the option's, the model's own, a usual one, or ours."""
        named: str = getattr(self.options, role)
        if named:
            if library.token_to_id(named) is None:
                raise OptionError(f"`tokenizer.{role}` must be a token of the vocabulary; `{named}` is none.")
            return named
        own = getattr(library.model, "unk_token", None) if role == "unknown" else None
        present = (name for name in (own, *usual) if name and library.token_to_id(name) is not None)
        return next(present, SPECIALS[list(_USUAL).index(role)])

    def _guard(self, library: Library) -> Library:
        """Return a copy that cuts what spells a special token after its first character.

        Some models (Unigram above all) hold their special tokens among the ordinary pieces.
        """
        del library
        names = [token["content"] for token in json.loads(self._json)["added_tokens"] if token["special"]]
        cuts = [f"{re.escape(name[0])}(?={re.escape(name[1:])})" for name in sorted(names) if len(name) > 1]
        guarded = Library.from_str(self._json)
        cut = pre_tokenizers.Split(Regex("|".join(cuts)), "isolated")
        own = guarded.pre_tokenizer
        guarded.pre_tokenizer = cut if own is None else pre_tokenizers.Sequence([cut, own])
        return guarded

    def _ready(self) -> Library:
        if self._library is None:
            self._adopt(self.make(iter(())).to_str())
        return super()._ready()
