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


def test_each_word_stands_where_its_pieces_begin(tokenizer):
    made, ids = process(tokenizer, "我 爱 苹果", "n v n")
    lengths = [len(tokenizer.encode(word)) for word in ("我", " 爱", " 苹果")]
    assert made["starts"].tolist() == [0, lengths[0], lengths[0] + lengths[1]]
    assert ids == [i for word in ("我", " 爱", " 苹果") for i in tokenizer.encode(word)]
    assert made["tags"].tolist() == [0, 1, 0]


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
    first = [tokenizer.encode(word)[0] for word in ("red", "我", " 爱", " 苹果")]
    assert starts[0, 1] == CUT and padded.flatten()[starts[0, [0, 2, 3, 4]]].tolist() == first
