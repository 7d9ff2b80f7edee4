import pickle

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from mmlm_core.errors import OptionError
from mmlm_text.file import FileTokenizer
from mmlm_text.options import FileOptions

CORPUS = ["the cat sat on the mat", "我爱吃苹果", "<s>[MASK]</s> the <pad> cat"] * 3


def gpt2(path):
    library = Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    return saved(library, trainer, path)


def bert(path):
    library = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    library.normalizer = normalizers.BertNormalizer(lowercase=False)
    library.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    library.decoder = decoders.WordPiece()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=names, show_progress=False)
    made = saved(library, trainer, path)
    library.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    library.enable_padding(length=64)
    library.enable_truncation(max_length=4)
    library.save(str(path))
    return made


def t5(path):
    library = Tokenizer(models.Unigram())
    library.pre_tokenizer = pre_tokenizers.Metaspace()
    library.decoder = decoders.Metaspace()
    names = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=60, special_tokens=names, unk_token="<unk>", show_progress=False, initial_alphabet=["<", "/", ">"]
    )
    return saved(library, trainer, path)


def saved(library, trainer, path):
    library.train_from_iterator(CORPUS, trainer)
    library.save(str(path))
    return library


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(params=[gpt2, bert, t5])
def read(request, tmp_path):
    path = tmp_path / "tokenizer.json"
    library = request.param(path)
    return FileTokenizer(FileOptions(path=str(path))), library


def names(tokenizer):
    return [
        tokenizer._library.id_to_token(getattr(tokenizer, role))
        for role in FileOptions.__annotations__
        if role != "path"
    ]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (gpt2, ["<pad>", "<|endoftext|>", "<|endoftext|>", "<unknown>", "<mask>"]),
        (bert, ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]),
        (t5, ["<pad>", "<begin>", "</s>", "<unk>", "<mask>"]),
    ],
)
def test_special_tokens_are_found_by_their_usual_names_and_the_missing_ones_added_behind(make, expected, tmp_path):
    library = make(tmp_path / "tokenizer.json")
    tokenizer = FileTokenizer(FileOptions(path=str(tmp_path)))  # the folder does as well
    tokenizer.train([])
    assert names(tokenizer) == expected
    added = [name for name in expected if library.token_to_id(name) is None]
    assert tokenizer.vocabulary == library.get_vocab_size() + len(added)
    assert sorted(tokenizer._library.token_to_id(name) for name in added) == [
        library.get_vocab_size() + i for i in range(len(added))
    ]


def test_ordinary_text_is_encoded_as_the_library_does(read):
    tokenizer, library = read
    library.no_padding()
    library.no_truncation()
    for text in ("the cat sat on the mat", "我爱吃苹果", "mat < cat", ""):
        assert tokenizer.encode(text) == library.encode(text, add_special_tokens=False).ids
        assert tokenizer.decode(tokenizer.encode(text)) == library.decode(tokenizer.encode(text))


@pytest.mark.parametrize("spelled", ["</s>", "the </s> cat", "<|endoftext|>", "[MASK]", "<pad><pad>", "<unk>", "<end>"])
def test_a_text_that_spells_a_special_token_is_text(read, spelled):
    tokenizer, _ = read
    for tried in (tokenizer, pickle.loads(pickle.dumps(tokenizer))):
        ids = tried.encode(spelled)
        special = {i for i, token in tried._library.get_added_tokens_decoder().items() if token.special}
        assert ids and not set(ids) & (special - {tried.unknown})


def test_a_run_keeps_its_own_copy_and_needs_the_file_no_more(read, tmp_path):
    tokenizer, _ = read
    tokenizer.train([])
    tokenizer.save(tmp_path / "run")
    (tmp_path / "tokenizer.json").unlink()
    loaded = FileTokenizer(tokenizer.options)
    loaded.load(tmp_path / "run")
    assert names(loaded) == names(tokenizer) and loaded.vocabulary == tokenizer.vocabulary
    assert loaded.encode("the </s> cat") == tokenizer.encode("the </s> cat")
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again/tokenizer.json").read_bytes() == (tmp_path / "run/tokenizer.json").read_bytes()


def test_options_name_special_tokens(tmp_path):
    gpt2(tmp_path / "tokenizer.json")
    tokenizer = FileTokenizer(FileOptions(path=str(tmp_path), pad="<|endoftext|>"))
    assert tokenizer.pad == tokenizer.end == 0


def test_a_named_token_must_be_in_the_vocabulary(tmp_path):
    gpt2(tmp_path / "tokenizer.json")
    with pytest.raises(OptionError) as caught:
        FileTokenizer(FileOptions(path=str(tmp_path), pad="<padd>")).train([])
    assert str(caught.value) == "`tokenizer.pad` must be a token of the vocabulary; `<padd>` is none."


def test_a_special_token_that_the_file_holds_as_an_ordinary_word_becomes_special(tmp_path):
    words = {"<unk>": 0, "</s>": 1, "cat": 2}
    library = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    library.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    library.add_tokens([AddedToken("dog")])
    library.save(str(tmp_path / "tokenizer.json"))
    tokenizer = FileTokenizer(FileOptions(path=str(tmp_path)))
    assert tokenizer.end == 1
    assert tokenizer.encode("cat </s> dog")[0] == 2 and 1 not in tokenizer.encode("cat </s> dog")
    assert tokenizer.decode([2, 1]) == "cat"


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "nothing.json"
    with pytest.raises(OptionError) as caught:
        FileTokenizer(FileOptions(path=str(path))).train([])
    assert str(caught.value).startswith(f"`tokenizer.path` must name a `tokenizer.json`; `{path}` is none: ")
    with pytest.raises(OptionError) as caught:
        FileTokenizer(FileOptions()).train([])
    assert str(caught.value) == "`tokenizer.path` must name a `tokenizer.json`; none is given."
