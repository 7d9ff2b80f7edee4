"""The heads that write in whole models: what fits, what is refused with its reason, and what is judged."""

import json

import pytest
import torch

from mmlm_core import compat
from mmlm_core.composition import Composition
from mmlm_core.data import collate_examples
from mmlm_core.judging import judge
from mmlm_core.plugins import load_plugins
from mmlm_core.prediction import Predictor
from mmlm_core.preparation import prepare
from mmlm_core.types import Example

REGISTRY = load_plugins().registry


def composition(head, data="dialogues", text=False, **options):
    mapping = {
        "data": {"name": data, "limit": 12},
        "tokenizer": {"name": "char"},
        "encoder": {"text": {"name": "embedding"}} if text else {},
        "projection": {"text": {"name": "linear"}} if text else {},
        "fusion": {"name": "concat"},
        "backbone": {"name": "transformer", "width": 16, "depth": 1, "heads": 2},
        "head": {"name": head, **options},
        "optimizer": {"name": "adamw"},
        "schedule": {"name": "cosine"},
        "decoding": {"max_tokens": 40},
    }
    return Composition.from_mapping(REGISTRY, mapping)


def made(*args, **options):
    torch.manual_seed(0)
    prepared = prepare(composition(*args, **options))
    return prepared, Predictor(prepared.composition, prepared.model)


def test_a_dialogue_needs_no_input_and_is_judged_by_what_it_answers():
    prepared, predictor = made("dialogue")
    rows = list(prepared.source.read("train"))[:4]
    model = predictor.model
    batch = collate_examples(rows, {}, model.head.target_processor())
    loss, predictions = judge(model, batch, predictor.composition.settings.decoding)
    answers = sum(len(said["content"]) + 1 for row in rows for said in row.target if said["role"] == "assistant")
    assert loss.count == answers == sum(prediction["scored_tokens"] for prediction in predictions)
    assert all(isinstance(prediction["prediction"], str) for prediction in predictions)
    assert list(model.head.metrics(predictions, [row.target for row in rows])) == [
        "perplexity", "token_f1", "bleu", "rouge_l", "exact_match"
    ]  # fmt: skip


def test_a_prompt_is_a_text_or_messages():
    _, predictor = made("dialogue")
    said = [{"role": "user", "content": "What is AI?"}]
    rows = [{"prompt": "What is AI?"}, {"prompt": said}, Example("k", prompt=said)]
    first, second, third = (row["prediction"] for row in predictor.predict(rows))
    assert first == second == third == predictor.generate(prompt="What is AI?")


def test_the_tokenizer_of_a_dialogue_knows_what_is_said_and_no_name_of_a_role():
    prepared, _ = made("dialogue")
    rows = prepared.source.read("train")
    said = {letter for row in rows for message in row.target for letter in message["content"]}
    known = {
        letter
        for letter in map(chr, range(32, 127))
        if prepared.tokenizer.unknown not in prepared.tokenizer.encode(letter)
    }
    assert known == {letter for letter in said if 32 <= ord(letter) < 127}


def test_an_untrained_model_writes_json_of_the_schema_or_is_cut():
    schema = (
        '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": false}'
    )
    prepared, predictor = made("parsing", "emoji_commands", text=True, schema=schema)
    rows = [Example(row.key, row.inputs) for row in prepared.source.read("train")]
    for row in predictor.predict(rows):
        assert row["prediction"].startswith('{"n":')
        assert not row["ended"] or list(json.loads(row["prediction"])) == ["n"]


@pytest.mark.parametrize("head", ["translation", "summarization", "answering", "transcription", "parsing"])
def test_a_task_about_inputs_needs_one_and_texts_to_learn(head):
    reasons = [misfit.reason for misfit in compat.misfits(composition(head), REGISTRY)]
    assert len(reasons) == 2
    assert any("it needs an `encoder`" in reason for reason in reasons)
    assert any("learns from targets" in reason for reason in reasons)


@pytest.mark.parametrize("head", ["translation", "summarization", "answering", "parsing", "dialogue"])
def test_a_text_about_a_text_fits(head):
    assert compat.misfits(composition(head, "emoji_facts", text=True), REGISTRY) == []
