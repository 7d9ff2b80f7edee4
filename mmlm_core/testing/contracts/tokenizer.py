"""What a tokenizer keeps."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from mmlm_core.errors import DataError
from mmlm_core.testing.contracts.common import TEXTS, ComponentContract

__all__ = ["TokenizerContract"]


class TokenizerContract(ComponentContract):
    """Ids and back; a vocabulary that is trained, saved and loaded."""

    def trained(self) -> object:
        """Return the tokenizer, trained on the contract's texts."""
        tokenizer = self.make()
        tokenizer.train(TEXTS * 3)
        return tokenizer

    def test_texts_it_was_trained_on_survive(self) -> None:
        """Decoding undoes encoding, Chinese included."""
        tokenizer = self.trained()
        for text in TEXTS:
            assert tokenizer.decode(tokenizer.encode(text)) == text  # type: ignore[attr-defined]

    def test_its_ids_lie_within_its_vocabulary(self) -> None:
        """No id is as large as the vocabulary; the special ones differ, but one may both begin and end (GPT-2's)."""
        tokenizer = self.trained()
        ids = [token for text in [*TEXTS, "unseen ☃"] for token in tokenizer.encode(text)]  # type: ignore[attr-defined]
        assert min(ids) >= 0 and max(ids) < tokenizer.vocabulary  # type: ignore[attr-defined]
        special = [getattr(tokenizer, name) for name in ("pad", "end", "unknown", "mask")]
        assert len(set(special)) == 4 and max(special) < tokenizer.vocabulary  # type: ignore[attr-defined]
        assert tokenizer.begin not in {tokenizer.pad, tokenizer.unknown, tokenizer.mask}  # type: ignore[attr-defined]

    def test_a_users_text_never_becomes_a_special_token(self) -> None:
        """A text that spells a special token is text, or it could end a sequence."""
        tokenizer = self.trained()
        special = {tokenizer.pad, tokenizer.begin, tokenizer.end, tokenizer.mask}  # type: ignore[attr-defined]
        for text in ("<end>", "<pad>", "<mask>", "[MASK]", "</s>", "<|endoftext|>", "<begin>"):
            assert not special & set(tokenizer.encode(text)), text  # type: ignore[attr-defined]

    def test_what_is_saved_loads_the_same(self, tmp_path: Path) -> None:
        """A new tokenizer that loads the folder encodes alike; a folder without the file is an error of ours."""
        tokenizer = self.trained()
        tokenizer.save(tmp_path)  # type: ignore[attr-defined]
        again = self.make()
        again.load(tmp_path)
        copied = pickle.loads(pickle.dumps(tokenizer))
        for text in TEXTS:
            assert again.encode(text) == copied.encode(text) == tokenizer.encode(text)  # type: ignore[attr-defined]
        assert again.vocabulary == tokenizer.vocabulary  # type: ignore[attr-defined]

    def test_training_twice_gives_the_same_ids(self) -> None:
        """The same corpus gives the same vocabulary."""
        first, second = self.trained(), self.trained()
        assert all(first.encode(text) == second.encode(text) for text in TEXTS)  # type: ignore[attr-defined]

    def test_an_empty_corpus_is_refused_or_not_needed(self) -> None:
        """Training on nothing is an error of ours, unless the tokenizer learns nothing from a corpus."""
        untrained = self.make()
        try:
            works = untrained.encode("a") and untrained.vocabulary
        except Exception:
            works = False
        if not works:
            with pytest.raises(DataError):
                untrained.train([])
