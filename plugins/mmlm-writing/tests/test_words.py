from mmlm_writing.metrics.words import words


def test_signs_and_spaces_split_words_and_case_is_dropped():
    assert words("Don't panic:  two-tone CATS!") == ["don", "'", "t", "panic", ":", "two", "-", "tone", "cats", "!"]


def test_each_chinese_character_and_each_kana_is_a_word_and_latin_between_them_stays_whole():
    assert words("猫脸OK: ねこ2匹") == ["猫", "脸", "ok", ":", "ね", "こ", "2", "匹"]


def test_letters_with_combining_marks_stay_in_their_word():
    assert words("Füße हिन्दी Cafe\u0301") == ["füße", "हिन्दी", "cafe\u0301"]


def test_blank_text_has_no_words():
    assert words(" \n\t") == []
