import pytest
import torch
from seqeval.metrics import f1_score
from torch.nn.utils.rnn import pad_sequence

from mmlm_core.errors import DataError
from mmlm_core.plugins import load_plugins
from mmlm_core.types import Example, Features, Items
from mmlm_heads.tag_targets import CUT, TagTargets
from mmlm_heads.tagging import Tagging
from mmlm_heads.tagging_options import TaggingOptions

REGISTRY = load_plugins().registry


@pytest.fixture(params=["char", "word", "byte"])
def tokenizer(request):
    component = REGISTRY.get("tokenizer", request.param)
    made = component.load()(component.options())
    made.train(["我 爱 苹果", "red dots"])
    return made


def process(tokenizer, text, target, kept=None, truncate=False):
    ids = tokenizer.encode(text)[:kept]
    inputs = {"text": [{"ids": torch.tensor(ids)}]}
    row = Example("rows.jsonl:1", {"text": [text]}, target)
    return TagTargets(tokenizer, ["n", "v"], truncate).process(row, inputs), inputs["text"][0]["ids"].tolist()


def test_each_word_stands_where_its_first_piece_begins(tokenizer):
    made, ids = process(tokenizer, "我 爱 苹果", "n v n")
    assert ids == tokenizer.encode("我 爱 苹果")
    before = [tokenizer.decode(ids[:start]).strip() for start in made["starts"].tolist()]
    assert before == ["", "我", "我 爱"]
    assert made["tags"].tolist() == [0, 1, 0]


@pytest.mark.parametrize("name", ["char", "word", "byte", "bpe", "wordpiece", "unigram"])
def test_the_tokens_of_a_tagged_text_are_its_own_whatever_the_tokenizer(name):
    component = REGISTRY.get("tokenizer", name)
    made = component.load()(component.options())
    made.train(["the blue square", "a red dot, the blue one"] * 20)
    text = "the blue  dot"
    found, ids = process(made, text, "n v n")
    assert ids == made.encode(text)
    offsets = made.offsets(text)
    begins = [offsets[start] for start in found["starts"].tolist()]
    assert all(begin <= word < end for (begin, end), word in zip(begins, (0, 4, 10), strict=True))


def test_another_number_of_tags_than_words_is_refused(tokenizer):
    with pytest.raises(DataError) as caught:
        process(tokenizer, "red dots", "n")
    assert str(caught.value) == "The target has 1 tags, and the text 2 words: each word must have one tag."


def test_words_beyond_the_limit_are_refused_or_left_out_of_the_loss(tokenizer):
    with pytest.raises(DataError, match="1 of 2 words have no token"):
        process(tokenizer, "red dots", "n v", kept=1)
    made, ids = process(tokenizer, "red dots", "n v", kept=1, truncate=True)
    assert made["starts"].tolist() == [0, CUT] and len(ids) == 1


def head(tags):
    facts = {"tags": tags, "counts": [3, *[1] * (len(tags) - 1)]}
    return Tagging(
        TaggingOptions(truncate=True), width=4, modalities=("text",), facts=facts, tokenizer=None, table=None
    )


def test_entities_are_measured_as_seqeval_does():
    wanted = [["B-x", "I-x", "O"], ["B-y", "O", "B-x"]]
    given = [["B-x", "O", "O"], ["B-y", "O", "B-x"]]
    made = head(["B-x", "B-y", "I-x", "O"]).metrics([{"prediction": row} for row in given], wanted)
    assert made["f1"] == f1_score(wanted, given) == pytest.approx(2 / 3)


def test_a_cut_word_is_predicted_as_the_most_frequent_tag():
    from mmlm_core.types import Batch

    model = head(["n", "v"]).eval()
    with torch.no_grad():
        model.output.weight.zero_()
        model.output.bias.copy_(torch.tensor([0.0, 1.0]))
    batch = Batch(1, {}, {"starts": torch.tensor([[0, CUT]]), "lengths": torch.tensor([2])})
    assert model.predict({"text": Features(torch.zeros(1, 1, 4))}, batch) == [{"prediction": ["v", "n"]}]


def test_the_words_of_several_texts_stand_in_the_text_that_they_are_of(tokenizer):
    texts = ["red dots", "我 爱 苹果"]
    most = len(tokenizer.encode("red"))
    given = [{"ids": torch.tensor(tokenizer.encode(text))} for text in texts]
    given[0]["ids"] = given[0]["ids"][:most]
    inputs = {"text": given}
    targets = TagTargets(tokenizer, ["n", "v"], truncate=True)
    made = targets.process(Example("rows.jsonl:1", {"text": texts}, "n v n v n"), inputs)
    assert [len(item["ids"]) for item in inputs["text"]] == [most, len(tokenizer.encode(texts[1]))]
    padded = pad_sequence([item["ids"] for item in inputs["text"]], batch_first=True)
    starts = targets.collate([made], {"text": Items({"ids": padded})}, None)["starts"]
    assert starts[0].tolist()[:2] == [0, CUT]
    places = [start - padded.shape[1] for start in starts[0, 2:].tolist()]
    before = [tokenizer.decode(tokenizer.encode(texts[1])[:place]).strip() for place in places]
    assert before == ["", "我", "我 爱"]
