import pytest

from mmlm_pretraining.words import word_numbers

TEXT = "Unhappy cats, café—ok?"


@pytest.mark.parametrize("kind", ["byte", "char", "bpe", "wordpiece", "unigram", "word"])
def test_the_words_are_the_same_whatever_the_tokenizer(make_tokenizer, kind):
    tokenizer = make_tokenizer(kind, [TEXT, "Unhappy cats café"] * 4)
    offsets = tokenizer.offsets(TEXT)
    numbers = word_numbers(TEXT, offsets)
    words = {}
    for number, (begin, end) in zip(numbers, offsets, strict=True):
        words.setdefault(number, set()).update(range(begin, end))
    spelled = ["".join(TEXT[place] for place in sorted(places)).strip() for places in words.values()]
    assert [word for word in spelled if word] == ["Unhappy", "cats", ",", "café", "—", "ok", "?"]


def test_a_token_of_no_width_is_a_word_of_its_own():
    assert word_numbers("☃a", [(0, 0), (0, 1), (1, 2)]) == [0, 1, 2]


def test_a_chinese_character_is_a_word_by_itself():
    assert word_numbers("我爱cats猫", [(0, 1), (1, 2), (2, 4), (4, 6), (6, 7)]) == [0, 1, 2, 2, 3]
