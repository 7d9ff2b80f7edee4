"""The head `parsing`: what it learns, what it may write, and how that is measured."""

import copy
import json
import pickle

import pytest
import torch

from mmlm_core.errors import DataError, OptionError
from mmlm_core.generation import generate
from mmlm_core.settings import DecodingOptions
from mmlm_core.testing.contracts.common import Characters
from mmlm_core.tokens import TokenTable
from mmlm_core.types import Batch, Example
from mmlm_text.bpe import BpeTokenizer
from mmlm_text.options import BpeOptions, WordOptions
from mmlm_text.word import WordTokenizer
from mmlm_writing.grammars import Grammar, read_grammar, read_schema
from mmlm_writing.key_order import in_order
from mmlm_writing.options import ParsingOptions
from mmlm_writing.parsing import Parsing

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"action": {"enum": ["play", "stop"]}, "count": {"type": "integer"}},
        "required": ["action", "count"],
        "additionalProperties": False,
    }
)
LISP = 'start: call\ncall: "(" NAME (" " (call | NAME))* ")"\nNAME: /[a-z]+/\n'
FORMS = ['{"action":"play","count":12}', '{"action":"stop","count":-3}']


def make(tokenizer=None, **options):
    torch.manual_seed(0)
    tokenizer = tokenizer or Characters()
    options = ParsingOptions(**options)
    return Parsing(
        options, width=8, modalities=("text",), facts=Parsing.facts(options, []), tokenizer=tokenizer,
        table=TokenTable(tokenizer.vocabulary, 8),
    )  # fmt: skip


def make_batch(head, targets):
    processor = head.target_processor()
    rows = [processor.process(Example(f"k{i}", target=target), {}) for i, target in enumerate(targets)]
    return Batch(len(rows), {}, processor.collate(rows, {}, None))


def random_text(grammar, tokenizer, seed, most=200):
    """Return what a model writes that knows nothing but what it may: any allowed token, and the end early."""
    generator, place, ids = torch.Generator().manual_seed(seed), grammar.begin(), []
    for _ in range(most):
        allowed = place.allowed()
        if allowed[tokenizer.end]:
            return tokenizer.decode(ids)
        ids.append(int(torch.multinomial(allowed.float(), 1, generator=generator)))
        place = place.after(ids[-1])
    return None


# what is learnt


def test_keys_are_learnt_in_the_order_in_which_the_schema_lets_them_be_written():
    point = {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}}
    schema = {"type": "object", "properties": {"n": {"type": "integer"}, "at": {"items": {"$ref": "#/$defs/point"}}}}
    head = make(schema=json.dumps({**schema, "$defs": {"point": point}}))
    given = {"free": {"b": 1, "a": 2}, "at": [{"y": 1, "x": 2}], "n": 3}
    labels = make_batch(head, [given]).targets["labels"][0].tolist()
    learnt = Characters().decode(labels[:-1])
    assert learnt == '{"n":3,"at":[{"x":2,"y":1}],"free":{"b":1,"a":2}}'
    assert head._grammar.accepts(learnt) and not head._grammar.accepts(json.dumps(given, separators=(",", ":")))


def test_a_schema_that_points_to_itself_is_followed_as_far_as_the_form_goes():
    tree = {"properties": {"n": {}, "of": {"$ref": "#"}}, "loop": {"$ref": "#/loop"}}
    assert list(in_order({"of": {"of": {}, "n": 1}, "n": 2}, tree)["of"]) == ["n", "of"]
    assert in_order({"b": 1}, {"$ref": "#/loop"}, tree) == {"b": 1}


def test_json_is_learnt_without_spaces_whether_it_comes_as_a_text_or_as_a_value():
    head = make()
    for target in ('{ "a": [1, 2], "b": "猫" }', {"a": [1, 2], "b": "猫"}):
        labels = make_batch(head, [target]).targets["labels"][0].tolist()
        assert labels == [*Characters().encode('{"a":[1,2],"b":"猫"}'), Characters.end]


def test_the_tokenizer_is_trained_on_forms_as_they_are_written():
    rows = [Example("k", target={"a": 1}), Example("k", target="no json", prompt="p"), Example("k", target='{"b" :2}')]
    assert [list(Parsing.texts(ParsingOptions(), row)) for row in rows] == [['{"a":1}'], ["p"], ['{"b":2}']]


@pytest.mark.parametrize("target", ["{'a': 1}", "play", object(), float("nan"), {"a": {1}}])
def test_a_target_that_is_no_json_is_refused(target):
    with pytest.raises(DataError, match="The target must be JSON, not "):
        make_batch(make(), [target])


def test_without_a_schema_a_form_must_be_a_text():
    assert make_batch(make(schema=""), ["(a b)"]).targets["labels"].shape == (1, 6)
    with pytest.raises(DataError, match="The target must be a text, not "):
        make_batch(make(schema=""), [{"a": 1}])


# what may be written


@pytest.mark.parametrize("train", [False, True], ids=["characters", "pieces of words"])
def test_what_is_written_at_random_fits_the_schema(train):
    tokenizer = Characters()
    if train:
        tokenizer = BpeTokenizer(BpeOptions(vocabulary=290))
        tokenizer.train(FORMS * 3)
    grammar = Grammar(SCHEMA, None, tokenizer, tokenizer.vocabulary)
    texts = [random_text(grammar, tokenizer, seed) for seed in range(20)]
    forms = [json.loads(text) for text in texts if text is not None]
    assert len(forms) > 10 and {form["action"] for form in forms} == {"play", "stop"}
    assert all(list(form) == ["action", "count"] and isinstance(form["count"], int) for form in forms)


def test_words_that_begin_a_text_lose_the_space_that_their_tokens_have():
    tokenizer = WordTokenizer(WordOptions())
    tokenizer.train(["play the song", "stop the song"])
    grammar = Grammar(None, 'start: ("play" | "stop") " the song"\n', tokenizer, tokenizer.vocabulary)
    assert {random_text(grammar, tokenizer, seed) for seed in range(9)} == {"play the song", "stop the song"}


def test_a_character_of_several_tokens_can_be_written():
    tokenizer = BpeTokenizer(BpeOptions(vocabulary=261))
    tokenizer.train(["a"])
    grammar = Grammar(None, 'start: "猫" | "犬"\n', tokenizer, tokenizer.vocabulary)
    assert {random_text(grammar, tokenizer, seed) for seed in range(9)} == {"猫", "犬"}


def test_where_the_vocabulary_lacks_what_must_follow_a_text_ends():
    tokenizer = Characters()
    place = Grammar(None, 'start: "a猫"\n', tokenizer, tokenizer.vocabulary).begin()
    place = place.after(ord("a"))
    assert place.allowed().nonzero().flatten().tolist() == [tokenizer.end]


def test_a_place_never_changes_and_equal_ways_share_one():
    tokenizer = Characters()
    begin = Grammar(None, LISP, tokenizer, tokenizer.vocabulary).begin()
    before = begin.allowed().clone()
    first, second = begin.after(ord("(")).after(ord("a")), begin.after(ord("(")).after(ord("b"))
    assert first is begin.after(ord("(")).after(ord("a")) and first is not second
    assert torch.equal(begin.allowed(), before) and before.nonzero().flatten().tolist() == [ord("(")]


def test_a_grammar_pickles_and_copies_after_use():
    grammar = Grammar(None, LISP, Characters(), Characters.vocabulary)
    grammar.begin().allowed()
    for other in (pickle.loads(pickle.dumps(grammar)), copy.deepcopy(grammar)):
        assert torch.equal(other.begin().allowed(), grammar.begin().allowed())


@pytest.mark.parametrize("options", [{}, {"beams": 3}, {"temperature": 2.0}], ids=["greedy", "beams", "sampled"])
def test_greedy_decoding_beams_and_sampling_keep_to_the_schema(options, composed):
    model, batch = composed
    decoding = DecodingOptions(max_tokens=60, **options)
    written = generate(model, batch, decoding)
    for row in written:
        text = model.head.decode(row.ids)
        assert text.startswith('{"action":"') and (not row.ended or json.loads(text)["action"] in ("play", "stop"))


@pytest.fixture
def composed():
    from mmlm_core.model import Model
    from mmlm_fusion.concat import Concat
    from mmlm_fusion.options import ConcatOptions
    from mmlm_transformer.options import TransformerOptions
    from mmlm_transformer.transformer import Transformer

    head = make(schema=SCHEMA).eval()
    torch.manual_seed(1)
    backbone = Transformer(TransformerOptions(width=8, depth=1, heads=1), causal=True)
    fusion = Concat(ConcatOptions(), width=8, depth=1, modalities=(), reads=("queries",))
    model = Model({}, {}, fusion, backbone, head).eval()
    return model, make_batch(head, [None, None])


def test_without_constrain_nothing_is_forbidden():
    batch = make_batch(make(), [None])
    assert make(constrain=False).constraints(batch) is None and make(schema="").constraints(batch) is None
    assert len(make().constraints(batch)) == 1


# how it is measured


def test_equal_json_is_a_match_whatever_the_order_of_its_keys():
    texts = ['{"b":1,"a":[2]}', '{"a": [2], "b": true}', '{"a":[2],', ""]
    metrics = make().metrics([{"prediction": text} for text in texts], [{"a": [2], "b": 1}] * 4)
    assert metrics["exact_match"] == 0.25 and metrics["well_formed"] == 0.5


@pytest.mark.parametrize("text", ["NaN", '{"a":Infinity}', "[-Infinity]"])
def test_numbers_that_json_has_not_are_not_well_formed(text):
    metrics = make().metrics([{"prediction": text}], [{"a": 1}])
    assert metrics["exact_match"] == metrics["well_formed"] == 0


def test_a_logical_form_is_compared_but_for_spaces_and_is_well_formed_by_its_grammar():
    head = make(grammar=LISP)
    metrics = head.metrics([{"prediction": text} for text in ("(a  (b c))", "(a (b c))", "(a (b")], ["(a (b c))"] * 3)
    assert metrics["exact_match"] == pytest.approx(2 / 3)
    assert metrics["well_formed"] == pytest.approx(1 / 3)  # two spaces are not in the grammar


# bad input


@pytest.mark.parametrize(
    ("option", "given", "message"),
    [
        ("schema", '{"type": ', "`schema` does not parse as JSON: Expecting value: line 1 column 10 (char 9)."),
        ("schema", '{"type": "objct"}', "`schema` is no JSON schema that a text can be kept to: Invalid type: objct."),
        (
            "schema",
            "nowhere.json",
            "`schema` must be a JSON schema, or name its file; `nowhere.json` is neither: No such file or directory.",
        ),
        (
            "grammar",
            "nowhere.lark",
            "`grammar` must be a grammar with a rule `start:`, or name its file; `nowhere.lark` is neither: "
            "No such file or directory.",
        ),
    ],
)
def test_a_schema_or_a_grammar_that_does_not_parse_is_refused(option, given, message):
    with pytest.raises(OptionError) as caught:
        Parsing.facts(ParsingOptions(**{option: given}), [])
    assert str(caught.value) == message


def test_a_grammar_with_an_unknown_rule_is_refused_with_its_place():
    with pytest.raises(OptionError, match=r"^`grammar` is no grammar in the notation of llguidance: .*unknown name"):
        read_grammar('start: "a" b\n')


def test_a_schema_and_a_grammar_exclude_each_other():
    with pytest.raises(OptionError) as caught:
        ParsingOptions(schema=SCHEMA, grammar=LISP)
    assert str(caught.value) == "`grammar` must be empty where there is a `schema`: forms keep to one of them."


def test_the_run_keeps_the_schema_itself(tmp_path):
    path = tmp_path / "schema.json"
    path.write_text(SCHEMA, encoding="utf-8")
    assert Parsing.facts(ParsingOptions(schema=str(path)), []) == {"schema": SCHEMA, "grammar": None}
    assert read_schema(SCHEMA) == SCHEMA
