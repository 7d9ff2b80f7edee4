"""The tokenizer of a composition, extended by the special tokens that its parts ask for."""

import pickle

import pytest

from mmlm_core.testing.contracts.materials import Characters
from mmlm_core.vocabulary import ExtendedTokenizer, extended

NAMES = ("<extra_0>", "<extra_1>")


def test_special_tokens_come_behind_the_vocabulary_in_their_order():
    tokenizer = ExtendedTokenizer(Characters(), NAMES)
    assert tokenizer.vocabulary == Characters.vocabulary + 2
    assert [tokenizer.special(name) for name in NAMES] == [Characters.vocabulary, Characters.vocabulary + 1]


def test_a_text_that_spells_one_is_text_and_decoding_leaves_them_out():
    tokenizer = ExtendedTokenizer(Characters(), NAMES)
    ids = tokenizer.encode("<extra_0>")
    assert ids == [ord(character) for character in "<extra_0>"]
    assert tokenizer.decode([ord("a"), tokenizer.special("<extra_1>"), ord("b")]) == "ab"


def test_everything_else_is_the_tokenizers_own():
    own = Characters()
    tokenizer = pickle.loads(pickle.dumps(ExtendedTokenizer(own, NAMES)))
    for name in ("pad", "begin", "end", "unknown", "mask", "modality"):
        assert getattr(tokenizer, name) == getattr(own, name)
    assert tokenizer.offsets("ab") == [(0, 1), (1, 2)]


def test_without_names_it_is_the_tokenizer_itself_and_knows_no_special_token():
    own = Characters()
    assert extended(own, ()) is own
    for tokenizer in (own, ExtendedTokenizer(own, NAMES)):
        with pytest.raises(LookupError, match="No part of the model asks for the special token `<sep>` in its traits"):
            tokenizer.special("<sep>")
