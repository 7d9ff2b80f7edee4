"""Answers out of a text."""

import re

import pytest
import torch
from torchmetrics.functional.text import squad

from mmlm_core.errors import DataError
from mmlm_core.plugins import load_plugins
from mmlm_core.types import QUERIES, Batch, Example, Features, Items
from mmlm_heads.answers import answer_metrics, answers_of
from mmlm_heads.span import Span
from mmlm_heads.span_options import SpanOptions
from mmlm_heads.span_targets import NOWHERE, SpanTargets

REGISTRY = load_plugins().registry
QUESTION, CONTEXT = "Who won?", "In 1998 Zidane's team, les Bleus, won; 冠军 was France."


@pytest.fixture(params=["char", "word", "byte", "bpe", "wordpiece", "unigram"])
def tokenizer(request):
    component = REGISTRY.get("tokenizer", request.param)
    made = component.load()(component.options())
    made.train([QUESTION, CONTEXT] * 3)
    return made


def process(tokenizer, target, texts=(QUESTION, CONTEXT), kept=None, truncate=False):
    inputs = {"text": [{"ids": torch.tensor(tokenizer.encode(text))} for text in texts]}
    inputs["text"][-1]["ids"] = inputs["text"][-1]["ids"][:kept]
    made = SpanTargets(tokenizer, truncate).process(Example("rows.jsonl:1", {"text": list(texts)}, target), inputs)
    return made, inputs


def make_head(**options):
    torch.manual_seed(0)
    tokenizer = REGISTRY.get("tokenizer", "byte")
    return Span(
        SpanOptions(dropout=0.0, **options), width=2, modalities=("text",), facts={},
        tokenizer=tokenizer.load()(tokenizer.options()), table=None,
    )  # fmt: skip


# alignment


@pytest.mark.parametrize("answer", ["1998", "les Bleus", "冠军", "France", "won"])
def test_an_answer_is_found_on_its_word_pieces_whatever_the_tokenizer(tokenizer, answer):
    made, _ = process(tokenizer, answer)
    offsets = made["offsets"].tolist()
    first, last = int(made["first"]), int(made["last"])
    assert answer in CONTEXT[offsets[first - 1][0] : offsets[last - 1][1]]
    begin = CONTEXT.index(answer)
    assert offsets[first - 1][1] > begin and offsets[last - 1][0] < begin + len(answer), "no piece too many"


def test_a_question_before_the_context_is_closed_by_the_end_token(tokenizer):
    made, inputs = process(tokenizer, "1998")
    assert inputs["text"][0]["ids"].tolist() == [*tokenizer.encode(QUESTION), tokenizer.end]
    assert inputs["text"][1]["ids"].tolist() == tokenizer.encode(CONTEXT) and made["item"] == 1
    alone, inputs = process(tokenizer, "1998", texts=(CONTEXT,))
    assert alone["item"] == 0 and tokenizer.end not in inputs["text"][0]["ids"].tolist()


def test_a_question_that_was_cut_is_closed_within_its_limit(tokenizer):
    ids = tokenizer.encode(QUESTION)[:2]
    inputs = {"text": [{"ids": torch.tensor(text)} for text in (ids, tokenizer.encode(CONTEXT))]}
    SpanTargets(tokenizer, False).process(Example("rows.jsonl:1", {"text": [QUESTION, CONTEXT]}, "1998"), inputs)
    assert inputs["text"][0]["ids"].tolist() == [ids[0], tokenizer.end]


@pytest.mark.parametrize("target", ["", [], {"text": [], "answer_start": []}, {"text": "", "answer_start": None}])
def test_a_question_without_an_answer_is_at_the_first_place(tokenizer, target):
    made, _ = process(tokenizer, target)
    assert (int(made["first"]), int(made["last"])) == (0, 0)


def test_of_an_answer_that_stands_twice_the_place_that_is_named_counts():
    tokenizer = REGISTRY.get("tokenizer", "byte")
    tokenizer = tokenizer.load()(tokenizer.options())
    made, _ = process(tokenizer, {"text": ["an"], "answer_start": [3]}, texts=("banana",))
    assert (int(made["first"]), int(made["last"])) == (4, 5)
    assert int(process(tokenizer, "an", texts=("banana",))[0]["first"]) == 2


def test_an_answer_that_is_not_in_its_context_is_refused(tokenizer):
    with pytest.raises(DataError) as caught:
        process(tokenizer, "France", texts=(QUESTION, "france won."))
    assert str(caught.value) == "The answer `France` is not in its context, `france won.`. Did you mean `france`?"
    message = "The answer `1998` does not stand at 0 in its context, where `In 1` is; it stands at 3."
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        process(tokenizer, {"text": "1998", "answer_start": 0})
    with pytest.raises(DataError, match="The answer `Brazil` is not in its context"):
        process(tokenizer, ["France", "Brazil"])


@pytest.mark.parametrize("target", [3, [1], {"text": None}, {"text": ["a"], "answer_start": ["x"]}, object()])
def test_a_target_that_is_no_answer_is_refused(tokenizer, target):
    with pytest.raises(DataError, match="The target must be an answer"):
        process(tokenizer, target)


def test_an_answer_that_was_cut_off_is_refused_or_taught_as_none(tokenizer):
    end = CONTEXT.index("France") + len("France")
    with pytest.raises(DataError, match=f"The answer ends at character {end} of its context, of which"):
        process(tokenizer, "France", kept=4)
    made, _ = process(tokenizer, "France", kept=4, truncate=True)
    assert int(made["first"]) == 0 and len(made["offsets"]) == 4


def test_positions_are_those_of_the_last_text_of_each_row():
    tokenizer = REGISTRY.get("tokenizer", "byte")
    tokenizer = tokenizer.load()(tokenizer.options())
    rows, items = [], []
    for texts in (("ab", "cde"), ("f",)):
        made, inputs = process(tokenizer, None, texts=texts)
        rows.append(made)
        items += [each["ids"] for each in inputs["text"]]
    ids = torch.nn.utils.rnn.pad_sequence(items, batch_first=True)
    made = SpanTargets(tokenizer, False).collate(rows, {"text": Items({"ids": ids})}, None)
    assert made["positions"].tolist() == [[3, 4, 5], [0, NOWHERE, NOWHERE]] and "first" not in made


# predictions


def batch_of(scores_of, texts, target=None):
    """Return outputs whose first and last scores are given by token, 0 being no answer, and the batch."""
    head = make_head()
    row = Example("row", {"text": list(texts)}, target)
    inputs = {"text": [{"ids": torch.tensor(head.target_processor()._tokenizer.encode(text))} for text in texts]}
    made = head.target_processor().process(row, inputs)
    ids = torch.nn.utils.rnn.pad_sequence([each["ids"] for each in inputs["text"]], batch_first=True)
    targets = head.target_processor().collate([made], {"text": Items({"ids": ids})}, None)
    values = torch.zeros(1, ids.numel(), 2)
    for token, scores in scores_of.items():
        if token:
            values[0, targets["positions"][0, token - 1]] = torch.tensor(scores)
    query = torch.tensor([[scores_of.get(0, (0.0, 0.0))]])
    return {"text": Features(values), QUERIES: Features(query)}, Batch(1, {}, targets, [row])


def predicted(outputs, batch, **options):
    head = make_head(**options).eval()
    with torch.no_grad():
        head.output.weight.copy_(torch.eye(2))
        head.output.bias.zero_()
    return head.predict(outputs, batch)[0], head


def test_the_likeliest_span_is_predicted_with_its_place():
    outputs, batch = batch_of({5: (9.0, 0.0), 7: (0.0, 9.0)}, ("Q?", "one two three"))
    row, _ = predicted(outputs, batch)
    assert (row["prediction"], row["start"], row["end"]) == ("two", 4, 7) and row["margin"] == 18.0


def test_an_answer_never_ends_before_it_begins_nor_is_longer_than_allowed():
    outputs, batch = batch_of({7: (9.0, 0.0), 5: (0.0, 9.0), 1: (3.0, 0.0), 3: (0.0, 3.0)}, ("one two three",))
    assert predicted(outputs, batch)[0]["prediction"] in ("one t", "two", "one", "o three", "two three", "o")
    found = predicted(outputs, batch)[0]
    assert found["start"] < found["end"]
    assert len(predicted(outputs, batch, max_answer_tokens=2)[0]["prediction"]) <= 2


def test_no_answer_is_predicted_where_its_score_is_the_best():
    outputs, batch = batch_of({0: (5.0, 5.0), 1: (3.0, 0.0), 3: (0.0, 3.0)}, ("one two",))
    row, _ = predicted(outputs, batch)
    assert row == {"prediction": "", "start": None, "end": None, "margin": -4.0}
    assert predicted(outputs, batch, no_answer_bias=-5.0)[0]["prediction"] == "one"


def test_the_loss_is_that_of_first_and_last_among_no_answer_and_the_contexts_tokens():
    outputs, batch = batch_of({0: (0.0, 0.0), 1: (2.0, 0.0), 2: (0.0, 1.0)}, ("Q?", "ab"), target="ab")
    _, head = predicted(outputs, batch)
    loss = head.loss(outputs, batch)
    first = -torch.tensor([0.0, 2.0, 0.0]).log_softmax(0)[1]
    last = -torch.tensor([0.0, 0.0, 1.0]).log_softmax(0)[2]
    assert loss.total.item() == pytest.approx(float(first + last) / 2) and loss.count.item() == 1
    assert loss.figures["correct"].item() == 1


def test_a_target_is_shown_as_the_texts_of_its_answers():
    head = make_head()
    assert head.shown({"text": ["a"], "answer_start": [0]}) == "a" and head.shown([]) == ""
    assert head.shown(["a", "b"]) == ["a", "b"] and head.constant() == ""


# metrics

PAIRS = [
    ("the Eiffel Tower!", ["Eiffel tower"]),
    ("in Paris", ["Paris", "the city of Paris"]),
    ("a", ["the"]),
    ("", ["Rome"]),
    ("42 people", ["forty people", "42"]),
    ("Bleus, les", ["les Bleus"]),
    ("", [""]),
    ("something", [""]),
]


def test_metrics_equal_an_independent_implementation_of_squads():
    given, wanted = [said for said, _ in PAIRS], [list(filter(None, answers)) for _, answers in PAIRS]
    ours = answer_metrics(given, wanted)
    theirs = squad(
        [{"prediction_text": said, "id": str(number)} for number, said in enumerate(given)],
        [{"answers": {"text": answers, "answer_start": [0] * len(answers)}, "id": str(number)}
         for number, (_, answers) in enumerate(PAIRS)],
    )  # fmt: skip
    assert ours["exact_match"] * 100 == pytest.approx(theirs["exact_match"].item())
    assert ours["f1"] * 100 == pytest.approx(theirs["f1"].item())


def test_rows_with_and_without_an_answer_are_also_measured_apart():
    found = answer_metrics(["cat", "", "dog"], [["cat"], [], []])
    assert (found["answered_f1"], found["unanswered_accuracy"]) == (1.0, 0.5)
    assert "answered_f1" not in answer_metrics(["cat"], [["cat"]])


def test_targets_are_read_in_squads_form_and_as_texts():
    assert [answer.text for answer in answers_of({"text": ["a", "b"], "answer_start": [0, 4]})] == ["a", "b"]
    assert [answer.start for answer in answers_of({"text": "a", "answer_start": 3})] == [3]
    assert answers_of(["a", ""])[0].text == "a" and len(answers_of(["a", ""])) == 1
