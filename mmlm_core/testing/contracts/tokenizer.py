"""What a tokenizer keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mmlm_core.errors import DataError, RunError
from mmlm_core.interfaces import Tokenizer
from mmlm_core.testing.contracts.checks import by_pickle, refuses
from mmlm_core.testing.contracts.common import TEXTS, ComponentContract

__all__ = ["TokenizerContract"]

OTHERS = ["Пример текста", "zwölf Boxkämpfer jagen Viktor", "0123456789"]


class TokenizerContract(ComponentContract):
    """Ids and back; a vocabulary that is trained, saved and loaded."""

    def trained(self, corpus: list[str] = TEXTS) -> Tokenizer:
        """Return the tokenizer, trained on texts."""
        tokenizer: Tokenizer = self.make()
        tokenizer.train(corpus * 3)
        return tokenizer

    def made(self) -> Any:
        """Return the ids of texts."""
        tokenizer = self.trained()
        return {text: tokenizer.encode(text) for text in TEXTS}

    def test_texts_it_was_trained_on_survive(self) -> None:
        """Decoding undoes encoding, Chinese included, and leaves special tokens out."""
        tokenizer = self.trained()
        for text in TEXTS:
            ids = tokenizer.encode(text)
            decoded = tokenizer.decode(ids)
            assert decoded == text, (
                f"{self.called} does not round-trip: {text!r}, which it was trained on, comes back as {decoded!r}. Let "
                "`decode` undo `encode`, case, spaces and accents included."
            )
            decoded = tokenizer.decode([tokenizer.begin, *ids, tokenizer.end, tokenizer.pad])
            assert decoded == text, (
                f"{self.called} decodes special tokens: {text!r} between `begin`, `end` and `pad` comes back as "
                f"{decoded!r}. Leave special ids out in `decode`."
            )

    def test_its_offsets_are_the_places_of_its_ids(self) -> None:
        """One for each id, in order, within the text; together they leave out nothing but white space."""
        if "offsets" not in self.component.traits_for(self.options).provides:
            pytest.skip("gives no offsets")
        tokenizer = self.trained()
        for text in [*TEXTS, "  two  spaces ", "unseen ☃!"]:
            ids, places = tokenizer.encode(text), tokenizer.offsets(text)
            assert len(places) == len(ids), f"{self.called} gives {len(places)} offsets for {len(ids)} ids of {text!r}."
            begins = [begin for begin, _ in places]
            ordered = begins == sorted(begins) and all(0 <= begin <= end <= len(text) for begin, end in places)
            assert ordered, f"{self.called} gives offsets of {text!r} that are out of order or beyond it: {places}."
            covered = {place for begin, end in places for place in range(begin, end)}
            lost = [text[place] for place in range(len(text)) if place not in covered and not text[place].isspace()]
            assert not lost, (
                f"{self.called} gives offsets of {text!r} that leave out {lost[0]!r}: each character belongs to a "
                "token, counted in characters (and not in bytes) of the text as it was given."
            )

    def test_its_ids_lie_within_its_vocabulary(self) -> None:
        """No id is as large as the vocabulary; the special ones differ, but one may both begin and end (GPT-2's)."""
        tokenizer = self.trained()
        ids = [token for text in [*TEXTS, "unseen ☃"] for token in tokenizer.encode(text)]
        assert min(ids) >= 0 and max(ids) < tokenizer.vocabulary, (
            f"{self.called} gives ids from {min(ids)} to {max(ids)}: they must lie from 0 to below its `vocabulary`, "
            f"{tokenizer.vocabulary}, which counts the special tokens too."
        )
        special = {name: getattr(tokenizer, name) for name in ("pad", "end", "unknown", "mask")}
        distinct = len(set(special.values())) == 4 and tokenizer.begin not in {
            tokenizer.pad, tokenizer.unknown, tokenizer.mask}  # fmt: skip
        assert distinct, f"{self.called} has special tokens of one id: {special}, begin {tokenizer.begin}."
        assert max(*special.values(), tokenizer.begin) < tokenizer.vocabulary, (
            f"{self.called} has special tokens beyond its `vocabulary`, {tokenizer.vocabulary}, which must count them: "
            f"{special}, begin {tokenizer.begin}."
        )

    def test_a_users_text_never_becomes_a_special_token(self) -> None:
        """A text that spells a special token is text, or it could end a sequence."""
        tokenizer = self.trained()
        special = {tokenizer.pad, tokenizer.begin, tokenizer.end, tokenizer.mask}
        for text in ("<end>", "<pad>", "<mask>", "[MASK]", "</s>", "<|endoftext|>", "<begin>"):
            found = special & set(tokenizer.encode(text))
            assert not found, (
                f"{self.called} makes the special id {min(found)} of the text {text!r}: a user's text is only ever "
                "text, so split what spells a special token, or make it unknown."
            )

    def test_what_is_saved_loads_the_same(self, tmp_path: Path) -> None:
        """A new tokenizer, and one that was trained on other texts, encode alike after loading the folder."""
        tokenizer = self.trained()
        expected = [tokenizer.encode(text) for text in TEXTS]
        tokenizer.save(tmp_path)
        others = {"a new one": self.make(), "one trained on other texts": self.trained(OTHERS)}
        for told, other in others.items():
            other.load(tmp_path)
            found = [other.encode(text) for text in TEXTS]
            assert (found, other.vocabulary) == (expected, tokenizer.vocabulary), (
                f"{self.called} loses its vocabulary when it is saved: {told} that loads the folder encodes "
                "differently. Write all that `train` made in `save`, take it back in `load`, and keep nothing on the "
                "class."
            )
            assert [other.decode(ids) for ids in found] == [tokenizer.decode(ids) for ids in expected], (
                f"{self.called} loses what it decodes with when it is saved: {told} decodes the same ids differently."
            )

    def test_an_empty_folder_is_an_error_of_ours(self, tmp_path: Path) -> None:
        """The message is for a user, whose run lacks the file; a tokenizer that saves none needs none."""
        saved, empty = tmp_path / "saved", tmp_path / "empty"
        for folder in (saved, empty):
            folder.mkdir()
        self.trained().save(saved)
        if any(saved.iterdir()):
            refuses(lambda: self.make().load(empty), RunError, f"{self.called} that loads a folder without its file")

    def test_it_pickles(self) -> None:
        """Data workers are other processes."""
        tokenizer = self.trained()
        copied = by_pickle(tokenizer, self.called)
        assert [copied.encode(text) for text in TEXTS] == [tokenizer.encode(text) for text in TEXTS], (
            f"{self.called} encodes differently after pickling: keep the vocabulary in attributes of its own."
        )

    def test_training_twice_gives_the_same_ids(self) -> None:
        """The same corpus gives the same vocabulary."""
        first, second = self.trained(), self.trained()
        assert all(first.encode(text) == second.encode(text) for text in TEXTS), (
            f"{self.called} makes two vocabularies of one corpus: order what is counted (by number, then by text), and "
            "draw nothing at random."
        )

    def test_an_empty_corpus_is_refused_or_not_needed(self) -> None:
        """Training on nothing is an error of ours, unless the tokenizer learns nothing from a corpus."""
        untrained = self.make()
        try:
            works = untrained.encode("a") and untrained.vocabulary
        except Exception:
            works = False
        if not works:
            refuses(lambda: untrained.train([]), DataError, f"{self.called} that is trained on an empty corpus")
