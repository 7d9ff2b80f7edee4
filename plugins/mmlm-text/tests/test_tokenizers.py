import functools
import hashlib
import json
import os
import pickle
import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmlm_core.errors import DataError, OptionError, RunError
from mmlm_text.bpe import BpeTokenizer
from mmlm_text.byte import ByteTokenizer
from mmlm_text.char import CharTokenizer
from mmlm_text.fast import serial
from mmlm_text.options import BpeOptions, ByteOptions, CharOptions, UnigramOptions, WordOptions, WordPieceOptions
from mmlm_text.unigram import UnigramTokenizer
from mmlm_text.unigram_training import train_unigram
from mmlm_text.word import WordTokenizer
from mmlm_text.wordpiece import WordPieceTokenizer

SPELLED = ["<pad>", "<begin>", "<end>", "<unknown>", "<mask>"]
CORPUS = [
    "woman firefighter: medium skin tone",
    "man's  two-spaced\tword_1, (firefighters) & 3.5% of <end>",
    "我爱吃苹果",
    "我爱你, 苹果 and pears。",
    "สวัสดี ひらがな カタカナ 한국어 naïve nai\u0308ve",
    "##hashes ## #1\n\nΚαλημέρα 👩🏽‍🚒",
    "<pad><begin><end><unknown><mask> < end > [MASK] </s>",
]
TRAINED = {
    "bpe": (BpeTokenizer, BpeOptions(vocabulary=400)),
    "wordpiece": (WordPieceTokenizer, WordPieceOptions(vocabulary=400)),
    "unigram": (UnigramTokenizer, UnigramOptions(vocabulary=400)),
    "char": (CharTokenizer, CharOptions()),
    "word": (WordTokenizer, WordOptions()),
    "byte": (ByteTokenizer, ByteOptions()),
}
CLOSED = ["wordpiece", "unigram", "char", "word"]


def train(name, corpus=CORPUS, **options):
    tokenizer_class, given_options = TRAINED[name]
    tokenizer = tokenizer_class(type(given_options)(**options) if options else given_options)
    tokenizer.train(iter(corpus))
    return tokenizer


@pytest.fixture(scope="module", params=list(TRAINED))
def tokenizer(request):
    return train(request.param)


@pytest.fixture(scope="module", params=CLOSED)
def closed(request):
    return train(request.param)


def specials(tokenizer):
    return [tokenizer.pad, tokenizer.begin, tokenizer.end, tokenizer.unknown, tokenizer.mask]


def test_the_special_ids_come_first_in_one_order(tokenizer):
    assert specials(tokenizer) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("text", [*CORPUS, "", " ", "  woman", " : medium", ": medium", "woman ", "\n我 woman"])
def test_a_text_of_known_parts_comes_back_exactly(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert all(5 <= i < tokenizer.vocabulary for i in ids)


@pytest.mark.parametrize("spelled", [*SPELLED, "woman<end>", "<end><end>", " <end> ", "<<end>>"])
def test_a_text_that_spells_a_special_token_is_text(tokenizer, spelled):
    ids = tokenizer.encode(spelled)
    assert ids and not set(ids) & set(specials(tokenizer))
    assert tokenizer.decode(ids) == spelled


def test_special_ids_are_left_out_of_the_decoded_text(tokenizer):
    ids = [tokenizer.begin, *tokenizer.encode("我爱你"), tokenizer.mask, tokenizer.end, tokenizer.pad, tokenizer.pad]
    assert tokenizer.decode(ids) == "我爱你"
    assert tokenizer.decode([]) == ""


_kept = functools.cache(train)


@settings(max_examples=60, deadline=None)
@given(text=st.text())
@pytest.mark.parametrize("name", ["bpe", "byte"])
def test_no_text_is_unknown_to_bytes(name, text):
    tokenizer = _kept(name)
    ids = tokenizer.encode(text)
    assert not set(ids) & set(specials(tokenizer))
    assert tokenizer.decode(ids) == text


@settings(max_examples=60, deadline=None)
@given(corpus=st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=4))
@pytest.mark.parametrize("name", CLOSED)
def test_any_text_comes_back_once_it_was_trained_on(name, corpus):
    tokenizer = train(name, corpus)
    for text in corpus:
        ids = tokenizer.encode(text)
        assert not set(ids) & set(specials(tokenizer))
        assert tokenizer.decode(ids) == text


def test_what_was_never_seen_is_unknown(closed):
    assert closed.encode("☃") == [closed.unknown]
    assert closed.decode([closed.unknown]) == ""


def test_a_word_is_the_same_token_at_the_beginning_and_after_a_space():
    tokenizer = train("word", ["woman sees woman"])
    assert tokenizer.encode("woman sees") == tokenizer.encode("sees woman")[::-1]
    assert tokenizer.vocabulary == 5 + 2


def test_chinese_characters_are_single_words_and_characters():
    for name in ("char", "word", "wordpiece"):
        assert len(train(name).encode("我爱吃苹果")) == 5


def test_unigram_finds_frequent_words_in_chinese_that_is_written_without_spaces():
    others = "我你他她们爱吃买有看"
    corpus = [text for a in others for b in others for text in (f"{a}{b}苹果", f"苹果{a}{b}", f"{a}苹果{b}")]
    tokenizer = train("unigram", corpus, vocabulary=5 + 12 + 3)
    assert [tokenizer.decode([i]) for i in tokenizer.encode("他爱苹果")] == ["他", "爱", "苹果"]


def test_a_byte_has_the_id_of_its_value_after_the_special_ones():
    assert ByteTokenizer(ByteOptions()).encode("aé\n\x00 ") == [5 + b for b in "aé\n\x00 ".encode()]
    assert ByteTokenizer(ByteOptions()).vocabulary == 261


def test_half_a_character_of_bytes_decodes_to_the_replacement_sign():
    tokenizer = ByteTokenizer(ByteOptions())
    assert tokenizer.decode(tokenizer.encode("我")[:2]) == "�"


@pytest.mark.parametrize("name", ["bpe", "wordpiece", "unigram", "char", "word"])
def test_lowercase_is_off_until_it_is_asked_for(name):
    corpus = ["Big APPLE, big apple"] * 3
    assert train(name, corpus).decode(train(name, corpus).encode("Big APPLE")) == "Big APPLE"
    small = train(name, corpus, lowercase=True)
    assert small.encode("Big APPLE") == small.encode("big apple")
    assert small.decode(small.encode("Big APPLE")) == "big apple"


@pytest.mark.parametrize(("name", "size"), [("bpe", 270), ("wordpiece", 36), ("unigram", 22), ("char", 9), ("word", 9)])
def test_the_vocabulary_is_as_large_as_asked_for(name, size):
    corpus = ["the cat sat on the mat and the rat ate the oats that the cat had", "then the man sat there"]
    assert train(name, corpus, vocabulary=size).vocabulary == size


def test_rare_words_and_characters_are_left_out_by_min_frequency():
    assert train("word", ["a a b"], min_frequency=2).vocabulary == 5 + 1
    assert train("char", ["aab"], min_frequency=2).vocabulary == 5 + 1


@pytest.mark.parametrize("name", ["bpe", "wordpiece", "unigram", "char", "word"])
@pytest.mark.parametrize("corpus", [[], [""], ["", ""]])
def test_an_empty_corpus_is_refused(name, corpus):
    with pytest.raises(DataError) as caught:
        train(name, corpus)
    assert str(caught.value) == "The corpus is empty: there is no text to train a tokenizer on."


@pytest.mark.parametrize("name", ["bpe", "wordpiece", "unigram", "char", "word"])
def test_a_corpus_of_something_else_is_refused(name):
    with pytest.raises(DataError) as caught:
        train(name, ["a text", 7])
    assert str(caught.value) == "A text must be a string, not int."


def test_what_is_no_text_is_refused(tokenizer):
    with pytest.raises(DataError) as caught:
        tokenizer.encode(None)
    assert str(caught.value) == "A text must be a string, not NoneType."
    with pytest.raises(DataError) as caught:
        tokenizer.encode("a\ud800")
    assert str(caught.value) == "A text must be valid Unicode: it has half a surrogate pair at 1."


def test_a_tokenizer_without_a_vocabulary_says_so():
    with pytest.raises(RunError) as caught:
        _ = CharTokenizer(CharOptions()).vocabulary
    assert str(caught.value) == (
        "The tokenizer has no vocabulary yet: `train` it on a corpus, or `load` it from a folder."
    )


@pytest.mark.parametrize("name", list(TRAINED))
def test_saving_and_loading_keeps_everything(name, tmp_path):
    tokenizer = train(name)
    tokenizer.save(tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["tokenizer.json"]
    loaded = TRAINED[name][0](TRAINED[name][1])
    loaded.load(tmp_path / "run")
    assert loaded.vocabulary == tokenizer.vocabulary
    for text in [*CORPUS, *SPELLED]:
        assert loaded.encode(text) == tokenizer.encode(text)
        assert loaded.decode(loaded.encode(text)) == tokenizer.decode(tokenizer.encode(text))
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again/tokenizer.json").read_bytes() == (tmp_path / "run/tokenizer.json").read_bytes()


def test_a_pickled_tokenizer_still_takes_special_tokens_as_text(tokenizer):
    copy = pickle.loads(pickle.dumps(tokenizer))
    for text in [*CORPUS, *SPELLED]:
        assert copy.encode(text) == tokenizer.encode(text)


def test_a_tokenizer_can_be_pickled_before_it_is_trained():
    copy = pickle.loads(pickle.dumps(CharTokenizer(CharOptions())))
    copy.train(["ab"])
    assert copy.vocabulary == 7


@pytest.mark.parametrize("content", [None, "{", '{"version": "1.0"}', ""])
def test_a_missing_or_broken_file_is_an_error_of_ours(content, tmp_path):
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(RunError, match=r"tokenizer\.json` cannot be read as a tokenizer: "):
        CharTokenizer(CharOptions()).load(tmp_path)


def test_a_file_without_our_special_tokens_is_refused(tmp_path):
    tokenizer = train("word")
    tokenizer.save(tmp_path)
    path = tmp_path / "tokenizer.json"
    path.write_text(path.read_text().replace("<mask>", "<other>"))
    with pytest.raises(RunError) as caught:
        WordTokenizer(WordOptions()).load(tmp_path)
    assert str(caught.value) == f"`{path}` cannot be read as a tokenizer: it lacks the special token `<mask>`."


def _digests():
    draw = random.Random(1)
    words = [draw.choice("aeiou") + chr(97 + i % 26) + "xyz"[i % 3] * (i % 4) for i in range(400)]
    corpus = [" ".join(draw.sample(words, 12)) + "我爱吃苹果"[i % 5] for i in range(60)]
    sizes = {"bpe": 500, "wordpiece": 300, "unigram": 150, "char": 50, "word": 200}
    made = {name: train(name, corpus, vocabulary=size)._json for name, size in sizes.items()}
    return {name: hashlib.md5(text.encode()).hexdigest() for name, text in made.items()}


def test_the_same_corpus_gives_the_same_file_in_every_process():
    code = f"""
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("tests", {__file__!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sys.stdout.write(json.dumps(module._digests()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == _digests() == _digests()


def test_forking_after_training_warns_of_nothing_and_leaves_the_environment_alone(monkeypatch, capfd):
    monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
    tokenizer = train("bpe", ["some text", "more text"] * 500)
    assert "TOKENIZERS_PARALLELISM" not in os.environ
    child = os.fork()
    if child == 0:
        os._exit(0 if tokenizer.decode(tokenizer.encode("some text")) == "some text" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert capfd.readouterr().err == ""


def test_what_the_user_says_of_threads_stays(monkeypatch):
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "0")
    with serial():
        assert os.environ["TOKENIZERS_PARALLELISM"] == "0"
    assert os.environ["TOKENIZERS_PARALLELISM"] == "0"


def test_the_file_is_one_that_the_library_reads_by_itself(tmp_path):
    from tokenizers import Tokenizer as Library

    for name in TRAINED:
        tokenizer = train(name)
        tokenizer.save(tmp_path)
        library = Library.from_file(str(tmp_path / "tokenizer.json"))
        text = "woman firefighter: medium skin tone"
        assert library.encode(text).ids == tokenizer.encode(text)
        assert library.decode(tokenizer.encode(text)) == text
        assert json.loads((tmp_path / "tokenizer.json").read_text())["added_tokens"][2]["content"] == "<end>"


def test_unigram_probabilities_are_those_of_the_words_where_nothing_is_ambiguous():
    # Two one-character words: expected counts 8.0 and 2.0, each less one half, of 9 together.
    pieces = dict(train_unigram({"a": 8, "b": 2}, 10))
    assert pieces == {"a": pytest.approx(-0.182322, abs=1e-6), "b": pytest.approx(-1.791759, abs=1e-6)}


@pytest.mark.parametrize(
    ("options", "values", "message"),
    [
        (BpeOptions, {"vocabulary": 260}, "`vocabulary` must be at least 261, not 260."),
        (WordOptions, {"vocabulary": 5}, "`vocabulary` must be at least 6, not 5."),
        (CharOptions, {"min_frequency": 0}, "`min_frequency` must be at least 1, not 0."),
    ],
)
def test_options_out_of_range_are_refused(options, values, message):
    with pytest.raises(OptionError) as caught:
        options(**values)
    assert str(caught.value) == message
