"""A tokenizer of words and the spaces between them."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmlm_core.errors import DataError, RunError
from mmlm_core.interfaces import Tokenizer
from mmlm_toys.plugin import ToyOptions

SPECIALS = 5


class ToyTokenizer(Tokenizer):
    """Words get the ids from 5 on."""

    pad, begin, end, unknown, mask = range(SPECIALS)
    words_of_all: list[str] = []  # noqa: RUF012

    def __init__(self, options: ToyOptions) -> None:
        self.fault = options.fault
        self._words: list[str] = []
        if self.fault == "does_not_pickle":
            self.split = lambda text: re.findall(r"\s+|\S+", text)

    @property
    def words(self) -> list[str]:
        return ToyTokenizer.words_of_all if self.fault == "vocabulary_on_the_class" else self._words

    @words.setter
    def words(self, words: list[str]) -> None:
        self._words = words
        ToyTokenizer.words_of_all = words

    @property
    def vocabulary(self) -> int:
        return len(self.words) + (0 if self.fault == "does_not_count_specials" else SPECIALS)

    def encode(self, item: str) -> list[int]:
        if not self.words:
            raise RunError("It has no vocabulary yet.")
        item = item.lower() if self.fault == "changes_case" else item
        parts = re.findall(r"\s+|\S+", item)
        if self.fault == "reads_specials":
            parts = [self.end if part == "<end>" else part for part in parts]
        known = {word: SPECIALS + place for place, word in enumerate(self.words)}
        return [part if isinstance(part, int) else known.get(part, self.unknown) for part in parts]

    def offsets(self, item: str) -> list[tuple[int, int]]:
        places = [found.span() for found in re.finditer(r"\s+|\S+", item)]
        if self.fault == "offsets_in_bytes":
            places = [(len(item[:begin].encode()), len(item[:end].encode())) for begin, end in places]
        if self.fault == "offsets_of_words_alone":
            places = [(begin, end) for begin, end in places if not item[begin].isspace()]
        if self.fault == "offsets_lose_the_last_letter":
            places = [(begin, max(begin, end - 1)) for begin, end in places]
        return places

    def decode(self, ids: Sequence[int]) -> str:
        if self.fault == "decodes_specials":
            return "".join(self.words[i - SPECIALS] if i >= SPECIALS else "<special>" for i in ids)
        join = " " if self.fault == "loses_spaces" else ""
        return join.join(self.words[i - SPECIALS] for i in ids if i >= SPECIALS)

    def train(self, corpus: Iterable[str]) -> None:
        counts = Counter(part for text in corpus for part in re.findall(r"\s+|\S+", text))
        if not counts and self.fault != "trains_on_nothing":
            raise DataError("The corpus is empty.")
        self.words = sorted(counts, key=lambda word: (-counts[word], word))
        if self.fault == "order_of_a_set":
            self.words = list(set(counts))
        if self.fault == "random_order":
            random.shuffle(self.words)

    def save(self, folder: Path) -> None:
        words = self.words[:3] if self.fault == "saves_half" else self.words
        (folder / "words.json").write_text(json.dumps(words))

    def load(self, folder: Path) -> None:
        if self.fault == "loads_nothing":
            self.words = self.words or ["a"]
            return
        if self.fault == "vocabulary_on_the_class":
            return
        try:
            self.words = json.loads((folder / "words.json").read_text())
        except OSError as error:
            if self.fault == "bare_error":
                raise
            raise RunError(f"There is no vocabulary in `{folder}`.") from error
