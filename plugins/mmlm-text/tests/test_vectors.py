"""Files of word vectors, in the exact formats of Word2Vec, GloVe and fastText, whole and broken."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest
import torch

from mmlm_core.build import build
from mmlm_core.composition import Composition
from mmlm_core.errors import DataError
from mmlm_core.plugins import load_plugins
from mmlm_core.preparation import prepare
from mmlm_core.tokens import TokenTable
from mmlm_text.embedding import EmbeddingEncoder
from mmlm_text.options import EmbeddingOptions, WordOptions
from mmlm_text.vectors import read_vectors
from mmlm_text.word import WordTokenizer

WORDS = {"the": [1.0, 2.0, 3.0], "cat": [-0.5, 0.25, 4.0], "苹果": [7.0, 8.0, 9.0], "new york": [0.0, 0.5, 1.0]}
GLOVE = "".join(f"{word} {' '.join(map(str, values))}\n" for word, values in WORDS.items()).encode()
SPACELESS = {word.replace(" ", "_"): values for word, values in WORDS.items()}
WORD2VEC = b"4 3\n" + "".join(f"{w} {' '.join(map(str, v))} \n" for w, v in SPACELESS.items()).encode()


def binary(ends: bytes = b"\n", header: bytes = b"4 3\n") -> bytes:
    return header + b"".join(word.encode() + b" " + struct.pack("<3f", *v) + ends for word, v in SPACELESS.items())


def file(folder: Path, content: bytes, name: str = "vectors.txt") -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (GLOVE, "glove.txt"),
        (WORD2VEC, "word2vec.txt"),
        (WORD2VEC.replace(b" \n", b"\n"), "fasttext.vec"),
        (binary(), "google.bin"),
        (binary(ends=b""), "gensim.bin"),
        (gzip.compress(GLOVE, mtime=0), "glove.txt.gz"),
    ],
)
def test_each_format_gives_the_vectors_that_are_asked_for(tmp_path: Path, content: bytes, name: str) -> None:
    vectors = read_vectors(file(tmp_path, content, name), {"cat", "苹果", "dog"})
    assert vectors.width == 3
    assert {word: vector.tolist() for word, vector in vectors.of.items()} == {
        "cat": [-0.5, 0.25, 4.0],
        "苹果": [7.0, 8.0, 9.0],
    }


def test_a_word_of_glove_may_hold_spaces_and_the_first_of_two_counts(tmp_path: Path) -> None:
    path = file(tmp_path, GLOVE + b"cat 9 9 9\n")
    assert read_vectors(path, {"new york"}).of["new york"].tolist() == [0.0, 0.5, 1.0]
    assert read_vectors(path, {"cat"}).of["cat"].tolist() == [-0.5, 0.25, 4.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "`{}` is empty: it holds no vectors."),
        (b"hello\n", "`{}` holds no vectors: its first line is neither a header nor a word with values."),
        (GLOVE[:-12], "`{}` is truncated: line 4 has 1 values, not 3."),
        (WORD2VEC[:-9], "`{}` is truncated: line 5 has 1 values, not 3."),
        (b"5 3" + WORD2VEC[3:], "`{}` is truncated: it has 4 vectors, and its header says 5."),
        (b"3 3" + WORD2VEC[3:], "`{}` has a wrong header: it has 4 vectors, and its header says 3."),
        (b"4 5" + WORD2VEC[3:], "`{}` is no file of vectors, or has a wrong header: line 2 has 3 values, not 5."),
        (b"0 3\n", "`{}` has a header that says 0 vectors of 3 values: there are none."),
        (binary()[:-6], "`{}` is truncated: it ends in vector 4 of 4."),
        (binary(header=b"5 3\n"), "`{}` is truncated: it ends in vector 5 of 5."),
        (binary(header=b"3 3\n"), "`{}` has a wrong header: there is more behind the 3 vectors that it says."),
        (
            b"\xba\x16\x4f\x2f and so on\n",
            "`{}` is fastText's own model; its vectors are in the `.vec` file beside it.",
        ),
        (b"cat 1 2 x\n", "`{}` holds what is no number in line 1: could not convert string to float: b'x'."),
        (b"cat 1 2 nan\n", "`{}` holds a number in line 1 that is not finite."),
    ],
)
def test_a_broken_file_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    path = file(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read_vectors(path, {"cat"})
    assert str(caught.value) == message.format(path)


def test_a_missing_file_and_a_truncated_archive_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_vectors("nowhere.txt", {"cat"})
    assert str(caught.value) == "`vectors` must be a file, but there is none at `nowhere.txt`."
    path = file(tmp_path, gzip.compress(GLOVE, mtime=0)[:-12], "glove.txt.gz")
    with pytest.raises(DataError, match=r"glove\.txt\.gz` cannot be read: "):
        read_vectors(path, {"cat"})


def words() -> WordTokenizer:
    tokenizer = WordTokenizer(WordOptions())
    tokenizer.train(["The cat eats", "a cat", "苹果"])
    return tokenizer


def encoder(path: str, width: int = 3, **options: int) -> EmbeddingEncoder:
    torch.manual_seed(0)
    tokenizer = words()
    table = TokenTable(tokenizer.vocabulary, width)
    return EmbeddingEncoder(EmbeddingOptions(vectors=path, **options), tokenizer=tokenizer, table=table)


def test_the_table_begins_with_the_vectors_and_says_how_many(tmp_path: Path) -> None:
    path = file(tmp_path, GLOVE)
    made = encoder(path)
    assert made.initialise() == f"{path}: vectors of 2 of 6 tokens (33.3%)"  # The and cat; not eats, a, 苹, 果


def test_a_table_of_its_own_has_the_vectors_width_and_leaves_the_shared_one(tmp_path: Path) -> None:
    path = file(tmp_path, GLOVE)
    made = encoder(path, width=8, embedding_width=3)
    made.initialise()
    assert made.width == 3
    (token,) = made.tokenizer.encode("cat")
    assert made({"ids": torch.tensor([[token]])}).values.flatten().tolist() == [-0.5, 0.25, 4.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"width": 8},
            "`{}` has vectors of 3 values, and the table that all parts share has 8: set "
            "`encoder.text.embedding_width=3`, or `backbone.width`.",
        ),
        (
            {"width": 8, "embedding_width": 4},
            "`{}` has vectors of 3 values, and `embedding_width` is 4: set `encoder.text.embedding_width=3`, or "
            "`backbone.width`.",
        ),
    ],
)
def test_vectors_of_another_width_are_refused(tmp_path: Path, options: dict[str, int], message: str) -> None:
    path = file(tmp_path, GLOVE)
    with pytest.raises(DataError) as caught:
        encoder(path, **options).initialise()
    assert str(caught.value) == message.format(path)


def test_vectors_of_no_token_are_refused(tmp_path: Path) -> None:
    path = file(tmp_path, b"dog 1 2 3\n")
    with pytest.raises(DataError, match="has a vector of none of the 6 tokens: vectors of words are for tokens"):
        encoder(path).initialise()


def test_without_a_file_nothing_changes() -> None:
    torch.manual_seed(0)
    tokenizer = words()
    made = EmbeddingEncoder(EmbeddingOptions(), tokenizer=tokenizer, table=TokenTable(tokenizer.vocabulary, 4))
    before = made.table.embedding.weight.clone()
    assert made.initialise() == "" and torch.equal(made.table.embedding.weight, before)


def test_a_training_begins_with_the_vectors_and_a_run_needs_no_file_of_them(tmp_path: Path) -> None:
    path = file(tmp_path, GLOVE)
    file(tmp_path, b"text,label\n" + b"the cat,a\na cat,b\n" * 4, "rows.csv")
    registry = load_plugins().registry
    mapping = {
        "data": {"name": "table", "path": str(tmp_path / "rows.csv"), "inputs": {"text": "text"}, "target": "label"},
        "tokenizer": {"name": "word"},
        "encoder": {"text": {"name": "rnn", "embedding_width": 3, "vectors": path}},
        "projection": {"text": {"name": "linear"}},
        "fusion": {"name": "concat"},
        "backbone": {"name": "none"},
        "head": {"name": "classification", "pooling": "max"},
        "optimizer": {"name": "adamw"},
        "schedule": {"name": "constant"},
    }
    composition = Composition.from_mapping(registry, mapping)
    made, again = prepare(composition), prepare(composition)
    (token,) = made.tokenizer.encode("cat")
    tables = [each.model.encoders["text"].table.embedding.weight for each in (made, again)]
    assert tables[0][token].tolist() == WORDS["cat"]
    assert torch.equal(*tables)
    Path(path).unlink()
    build(composition, tokenizer=made.tokenizer, facts=made.facts).load_state_dict(made.model.state_dict())
