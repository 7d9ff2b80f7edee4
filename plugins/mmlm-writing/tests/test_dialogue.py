"""Dialogues: who speaks is a special token, the assistant's words alone are learnt, and the last answer is written."""

import math

import pytest
import torch

from mmlm_core.errors import DataError
from mmlm_core.judging import writes_freely
from mmlm_core.model import Model
from mmlm_core.targets import IGNORED
from mmlm_core.testing.contracts.common import Characters
from mmlm_core.tokens import TokenTable
from mmlm_core.types import QUERIES, Batch, Example
from mmlm_core.vocabulary import extended
from mmlm_writing.conversations import answer_of, conversation
from mmlm_writing.dialogue import Dialogue
from mmlm_writing.options import ROLES, DialogueOptions

BEGIN, END = Characters.begin, Characters.end
SYSTEM, USER, ASSISTANT = range(132, 135)  # behind the vocabulary
A, B, C, D = map(ord, "abcd")


def say(*contents, first="user"):
    turns = ("user", "assistant") if first == "user" else ("assistant", "user")
    return [{"role": turns[place % 2], "content": content} for place, content in enumerate(contents)]


def make(**options):
    torch.manual_seed(0)
    tokenizer = extended(Characters(), ROLES)
    return Dialogue(
        DialogueOptions(**options), width=8, modalities=(), facts={}, tokenizer=tokenizer,
        table=TokenTable(tokenizer.vocabulary, 8),
    )  # fmt: skip


def process(target, prompt=None, **options):
    return make(**options).target_processor().process(Example("k", target=target, prompt=prompt), {})


def test_the_assistants_words_and_their_ends_alone_are_scored():
    made = process(say("a", "bc", "a", "d"))
    assert made["ids"].tolist() == [BEGIN, USER, A, END, ASSISTANT, B, C, END, USER, A, END, ASSISTANT, D]
    unscored = [IGNORED] * 3
    assert made["labels"].tolist() == [IGNORED, *unscored, B, C, END, *unscored, IGNORED, D, END]


def test_a_generation_begins_where_the_last_answer_does():
    whole = [BEGIN, USER, A, END, ASSISTANT, B, C, END, USER, A, END, ASSISTANT]
    assert process(say("a", "bc", "a", "d"))["prompt"].tolist() == whole
    assert process(None, prompt=say("a", "bc", "a"))["prompt"].tolist() == whole
    assert process("d", prompt=say("a", "bc", "a"))["prompt"].tolist() == whole


def test_texts_are_what_the_user_and_the_assistant_say():
    made = process("b", prompt="a")
    assert made["prompt"].tolist() == [BEGIN, USER, A, END, ASSISTANT]
    assert made["labels"].tolist() == [IGNORED] * 4 + [B, END]
    assert process("b")["prompt"].tolist() == [BEGIN, ASSISTANT]  # the question is another input
    assert process(None)["prompt"].tolist() == [BEGIN, ASSISTANT]


def test_a_system_message_comes_first():
    made = process([{"role": "system", "content": "c"}, *say("a", "b")])
    assert made["prompt"].tolist() == [BEGIN, SYSTEM, C, END, USER, A, END, ASSISTANT]


def test_nobody_speaks_in_anothers_name_by_what_they_write():
    assert ASSISTANT not in process("b", prompt="assistant <assistant>")["prompt"].tolist()[:-1]


def test_other_words_never_reach_the_loss():
    head = make().eval()
    losses = []
    for asked in ("a", "c"):
        batch = Batch(1, {}, head.target_processor().collate([process(say(asked, "b"))], {}, None))
        queries = head.queries(batch)
        losses.append(head.loss({QUERIES: queries.with_values(queries.values.cos())}, batch))
    assert losses[0].total == losses[1].total and losses[0].count == 2  # each position sees but itself here


def test_a_longer_dialogue_is_refused_or_cut_and_one_without_an_answer_left_is_refused():
    with pytest.raises(DataError) as caught:
        process(say("a", "bc"), max_tokens=5)
    assert str(caught.value) == (
        "The dialogue has 7 tokens, more than `head.max_tokens`, which is 5: "
        "raise that, or cut with `head.truncate=true`."
    )
    assert process(say("a", "bc"), max_tokens=6, truncate=True)["labels"].tolist() == [IGNORED] * 4 + [B]
    with pytest.raises(DataError) as caught:
        process(say("aaaa", "b"), max_tokens=5, truncate=True)
    assert str(caught.value) == "The dialogue has no answer within its first `head.max_tokens` tokens: raise that."


def test_the_tokenizer_is_trained_on_what_is_said():
    rows = [Example("k", target=say("a", "b")), Example("k", target="d", prompt="c"), Example("k", target=[{"x": 1}])]
    assert [list(Dialogue.texts(DialogueOptions(), row)) for row in rows] == [["a", "b"], ["c", "d"], []]


def test_it_answers_a_prompt_even_where_the_model_has_no_inputs():
    model = Model({}, {}, torch.nn.Identity(), torch.nn.Identity(), make())
    assert not writes_freely(model)


def test_its_metrics_are_of_the_last_answers_and_of_all_scored_tokens():
    rows = [{"prediction": "b c", "log_likelihood": -3 * math.log(2), "scored_tokens": 3}]
    metrics = make().metrics(rows, [say("a", "x", "a", "b c")])
    assert metrics == pytest.approx(
        {"perplexity": 2, "token_f1": 1, "bleu": 0, "rouge_l": 1, "exact_match": 1}, abs=1e-6
    )
    assert answer_of("b") == answer_of(say("a", "b")) == "b"


# bad input


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (say("a", "b")[:1], "A dialogue to learn from must end with a message of `assistant`, not of `user`."),
        (
            [*say("a", "b"), *say("c", first="assistant")],
            "Message 3 of a dialogue must be of `user`, not of `assistant`: `user` and `assistant` take turns, after a "
            "first message of `system`, which may be left out.",
        ),
        (
            say("b", "a", first="assistant"),
            "Message 1 of a dialogue must be of `user`, not of `assistant`: `user` and `assistant` take turns, after a "
            "first message of `system`, which may be left out.",
        ),
        (
            [{"role": "asistant", "content": "a"}],
            "The target: message 1 is of `asistant`, which is no role. Did you mean `assistant`? "
            "Choices: `assistant`, `system`, `user`.",
        ),
        (
            say("a", " "),
            "The target: the content of message 2 must be a text that is not blank, not ' '.",
        ),
        ([{"role": "user"}], "The target: message 1 must have `role` and `content`, and is {'role': 'user'}."),
        ([], "The target must be a text or a list of messages, each with `role` and `content`, not []."),
        (3, "The target must be a text or a list of messages, each with `role` and `content`, not 3."),
        ("  ", "The target: the content of message 1 must be a text that is not blank, not '  '."),
    ],
)
def test_messages_that_are_no_dialogue_are_refused(target, message):
    with pytest.raises(DataError) as caught:
        conversation(Example("k", target=target))
    assert str(caught.value) == message


def test_a_prompt_must_leave_something_to_answer():
    with pytest.raises(DataError) as caught:
        conversation(Example("k", prompt=say("a", "b")))
    assert str(caught.value) == "A dialogue to answer must end with a message of `user`, not of `assistant`."
