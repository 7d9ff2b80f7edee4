"""Generation: with a cache as without, token for token; beams find what an exhaustive search finds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from mmlm_core import generation
from mmlm_core.build import build
from mmlm_core.composition import Composition
from mmlm_core.data import collate_examples
from mmlm_core.generation.beams import Group
from mmlm_core.generation.int8 import Int8Linear, Int8Table
from mmlm_core.generation.stopping import Stopping
from mmlm_core.interfaces import Backbone, Constraint
from mmlm_core.model import Model
from mmlm_core.plugins import load_plugins
from mmlm_core.reading import UncachedReader
from mmlm_core.settings import DecodingOptions
from mmlm_core.tokens import TokenTable
from mmlm_core.types import Batch, Example

REGISTRY = load_plugins().registry


def stepping_backbones() -> list[str]:
    """Every installed backbone that can step."""
    named = ((name, REGISTRY.get("backbone", name)) for name in REGISTRY.names("backbone"))
    return [name for name, component in named if "cache" in component.traits_for(component.options()).provides]


def joining_fusions() -> list[str]:
    """Every installed fusion that lets a text be written about the inputs."""
    named = ((name, REGISTRY.get("fusion", name)) for name in REGISTRY.names("fusion"))
    return [name for name, component in named if "apart" not in component.traits_for(component.options()).provides]


TEXTS = ["a", "a much longer text than the others", "two words", "我爱吃苹果"]
PROMPTS = ["", "begins so", None, "x"]


def make(
    backbone: str = "gru", fusion: str = "concat", tokenizer: str = "byte", corpus: Sequence[str] = TEXTS
) -> tuple[Model, Any]:
    """Return a random model that writes a text about a text, and its tokenizer."""
    tiny = REGISTRY.get("backbone", backbone).tiny
    mapping = {
        "data": {"name": "table", "path": "none.csv", "inputs": {"text": "text"}, "target": "target"},
        "tokenizer": {"name": tokenizer},
        "encoder": {"text": {"name": "embedding"}},
        "projection": {"text": {"name": "linear"}},
        "fusion": {"name": fusion},
        "backbone": {"name": backbone, **tiny, "depth": 2},
        "head": {"name": "captioning", "tie": False},
        "optimizer": {"name": "adamw"},
        "schedule": {"name": "constant"},
    }
    composition = Composition.from_mapping(REGISTRY, mapping)
    choice = composition["tokenizer"]
    trained = choice.component.load()(choice.options)
    trained.train(corpus)
    torch.manual_seed(0)
    model = build(composition, tokenizer=trained).eval()
    with torch.no_grad():  # larger weights than a fresh model's, so that texts differ and end at different steps
        for parameter in model.parameters():
            parameter.mul_(3.0) if parameter.ndim > 1 else None
    return model, trained


def batch_of(model: Model, texts: list[str], prompts: list[str | None]) -> Batch:
    examples = [Example(str(i), {"text": [t]}, None, p) for i, (t, p) in enumerate(zip(texts, prompts, strict=True))]
    return collate_examples(examples, model.processors(), model.head.target_processor())


class Script(Constraint):
    """One text and nothing else, so that a random model says what a test wants."""

    def __init__(self, ids: Sequence[int], vocabulary: int) -> None:
        self.ids, self.vocabulary = ids, vocabulary

    def allowed(self) -> Tensor:
        return torch.arange(self.vocabulary) == self.ids[0]

    def after(self, token: int) -> Script:
        assert token == self.ids[0]
        return Script(self.ids[1:], self.vocabulary)


def scripted(texts: list[str], tokenizer: str = "byte") -> tuple[Model, Batch]:
    """Return a model that says these texts, a row each, and a batch of so many rows."""
    model, trained = make(tokenizer=tokenizer, corpus=texts)
    scripts = [Script([*trained.encode(text), trained.end], trained.vocabulary) for text in texts]
    model.head.constraints = lambda batch: scripts[: batch.size]
    return model, batch_of(model, TEXTS[: len(texts)], PROMPTS[: len(texts)])


def say(model: Model, batch: Batch, **options: Any) -> list[dict[str, Any]]:
    """Return the predictions under these options."""
    return generation.predict(model, batch, DecodingOptions(**{"max_tokens": 64, **options}))


@pytest.mark.parametrize("fusion", joining_fusions())
@pytest.mark.parametrize("backbone", stepping_backbones())
@pytest.mark.parametrize("beams", [1, 3])
def test_with_a_cache_the_tokens_are_the_same_as_without(backbone: str, fusion: str, beams: int) -> None:
    model, _ = make(backbone, fusion)
    batch = batch_of(model, TEXTS, PROMPTS)
    options = DecodingOptions(max_tokens=12, beams=beams)
    cached = generation.generate(model, batch, options)
    uncached = generation.generate(model, batch, options, cache=False)
    assert [row.ids for row in cached] == [row.ids for row in uncached]
    assert [row.score for row in cached] == pytest.approx([row.score for row in uncached], abs=1e-4)
    assert len({tuple(row.ids) for row in cached}) > 1, "rows that all say the same prove nothing"


def test_a_backbone_that_keeps_no_state_reads_everything_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = make("gru", "concat")
    batch, options = batch_of(model, TEXTS, PROMPTS), DecodingOptions(max_tokens=6)
    expected = generation.generate(model, batch, options)
    model.backbone.steps = False
    monkeypatch.setattr(type(model.backbone), "start", Backbone.start)
    assert [row.ids for row in generation.generate(model, batch, options)] == [row.ids for row in expected]


@pytest.mark.parametrize("backbone", stepping_backbones())
@pytest.mark.parametrize("beams", [1, 3])
def test_a_row_says_the_same_in_a_batch_as_alone(backbone: str, beams: int) -> None:
    model, _ = make(backbone, "concat")
    options = DecodingOptions(max_tokens=10, beams=beams)
    together = generation.generate(model, batch_of(model, TEXTS, PROMPTS), options)
    for index, (text, prompt) in enumerate(zip(TEXTS, PROMPTS, strict=True)):
        alone = generation.generate(model, batch_of(model, [text], [prompt]), options)
        assert alone[0].ids == together[index].ids


def test_enough_beams_find_the_likeliest_sequence_of_all() -> None:
    model, tokenizer = make("transformer", "concat")
    batch = batch_of(model, ["abc"], [None])
    size, end = tokenizer.vocabulary, tokenizer.end
    with torch.inference_mode():
        ids, lengths = model.head.prompt(batch)
        first = UncachedReader(model, batch).begin(ids, lengths).log_softmax(-1)[0]
        best = {(end,): float(first[end])}
        for token in range(size):
            if token == end:
                continue
            grown = torch.cat([ids, torch.tensor([[token]])], 1)
            second = UncachedReader(model, batch).begin(grown, lengths + 1).log_softmax(-1)[0]
            for follower in (int(second.argmax()), end):
                best[token, follower] = float(first[token] + second[follower])
    for penalty in (0.0, 1.0):
        winner = max(best, key=lambda text: best[text] / len(text) ** penalty)
        options = DecodingOptions(max_tokens=2, beams=size, length_penalty=penalty)
        found = generation.generate(model, batch, options)[0]
        assert found.ids == [token for token in winner if token != end]
        assert found.score == pytest.approx(best[winner] / len(winner) ** penalty, abs=1e-4)


def test_sampling_repeats_itself_under_a_seed_and_differs_under_another() -> None:
    model, _ = make("transformer", "concat")
    batch = batch_of(model, TEXTS, PROMPTS)

    def sample(seed: int, **options: Any) -> list[list[int]]:
        chosen = DecodingOptions(max_tokens=12, temperature=1.5, seed=seed, **options)
        return [row.ids for row in generation.generate(model, batch, chosen)]

    assert sample(1) == sample(1) != sample(2)
    greedy = [row.ids for row in generation.generate(model, batch, DecodingOptions(max_tokens=12))]
    assert sample(1, top_k=1) == sample(2, top_p=1e-6) == sample(3, min_p=1.0) == greedy


@pytest.mark.parametrize("n_best", [1, 3])
def test_what_a_row_draws_depends_on_its_key_alone(n_best: int) -> None:
    model, _ = make("transformer", "concat")
    options = DecodingOptions(max_tokens=12, temperature=1.5, n_best=n_best)
    batch = batch_of(model, TEXTS, PROMPTS)
    together = generation.generate(model, batch, options)
    for place, row in enumerate(batch.examples):
        alone = collate_examples([row], model.processors(), model.head.target_processor())
        (again,) = generation.generate(model, alone, options)
        assert again.ids == together[place].ids
        assert [text.ids for text in again.others] == [text.ids for text in together[place].others]
    same = batch_of(model, ["a", "a"], [None, None])
    first, second = generation.generate(model, same, options)
    assert first.ids != second.ids, "two rows that ask the same are two draws"


def test_several_samples_of_a_row_differ_and_come_best_first() -> None:
    model, _ = make("transformer", "concat")
    batch = batch_of(model, TEXTS, PROMPTS)
    for row in generation.generate(model, batch, DecodingOptions(max_tokens=8, temperature=1.5, n_best=5)):
        texts = [row, *row.others]
        assert len(texts) == 5 and len({tuple(text.ids) for text in texts}) > 1
        assert [text.score for text in texts] == sorted((text.score for text in texts), reverse=True)


def test_beams_give_their_n_best_with_the_scores_that_the_model_gives_them() -> None:
    model, tokenizer = make("transformer", "concat")
    batch = batch_of(model, ["abc"], [None])
    (best,) = generation.generate(model, batch, DecodingOptions(max_tokens=4, beams=6, n_best=4))
    texts = [best, *best.others]
    assert len({tuple(text.ids) for text in texts}) == 4
    assert [text.score for text in texts] == sorted((text.score for text in texts), reverse=True)
    ids, lengths = model.head.prompt(batch)
    for text in texts:
        said = [*text.ids, tokenizer.end] if text.ended else text.ids
        total, read = 0.0, ids
        for place, token in enumerate(said):
            with torch.inference_mode():
                logits = UncachedReader(model, batch).begin(read, lengths + place)
            total += float(logits.log_softmax(-1)[0, token])
            read = torch.cat([read, torch.tensor([[token]])], 1)
        assert text.score == pytest.approx(total / len(said), abs=1e-4)


def test_a_prediction_lists_its_n_best_where_they_are_asked_for() -> None:
    model, _ = make()
    batch = batch_of(model, TEXTS, PROMPTS)
    for told in say(model, batch, max_tokens=6, beams=4, n_best=3):
        assert len(told["n_best"]) == 3
        assert {name: value for name, value in told.items() if name != "n_best"} == told["n_best"][0]
    assert all("n_best" not in told for told in say(model, batch, max_tokens=6, beams=4))


def test_groups_without_diversity_are_smaller_searches_of_the_same() -> None:
    model, _ = make("transformer", "concat")
    batch = batch_of(model, TEXTS, PROMPTS)
    grouped = generation.generate(model, batch, DecodingOptions(max_tokens=8, beams=6, beam_groups=3, diversity=0))
    alone = generation.generate(model, batch, DecodingOptions(max_tokens=8, beams=2))
    assert [row.ids for row in grouped] == [row.ids for row in alone]


def test_diverse_groups_begin_with_different_tokens_and_keep_true_scores() -> None:
    model, _ = make("transformer", "concat")
    batch = batch_of(model, TEXTS, PROMPTS)
    options = {"max_tokens": 5, "beams": 3, "n_best": 3}
    usual = generation.generate(model, batch, DecodingOptions(**options))
    diverse = generation.generate(model, batch, DecodingOptions(**options, beam_groups=3, diversity=1e6))
    greedy = generation.generate(model, batch, DecodingOptions(max_tokens=5))
    for row, plain, first in zip(diverse, usual, greedy, strict=True):
        texts = {tuple(text.ids): text.score for text in (row, *row.others)}
        assert len({ids[:1] for ids in texts}) == 3
        assert texts[tuple(first.ids)] == pytest.approx(first.score, abs=1e-4)  # the first group is not held back
        assert max(texts.values()) <= plain.score + 1e-4 or row.score > plain.score


@pytest.mark.parametrize("beams", [1, 4])
def test_a_constraint_is_kept_in_every_row_and_beam(beams: int) -> None:
    said = ["yes", "no, never", "我爱", ""]
    model, batch = scripted(said)
    told = say(model, batch, beams=beams)
    assert [row["prediction"] for row in told] == said
    assert all(row["ended"] for row in told)
    assert "".join(generation.stream(model, batch_of(model, ["a"], [None]), DecodingOptions(beams=beams))) == "yes"


class Digits(Constraint):
    """So many digits, and then the end."""

    def __init__(self, left: int, tokenizer: Any) -> None:
        self.left, self.tokenizer = left, tokenizer

    def allowed(self) -> Tensor:
        mask = torch.zeros(self.tokenizer.vocabulary, dtype=torch.bool)
        mask[self.tokenizer.encode("0123456789") if self.left else self.tokenizer.end] = True
        return mask

    def after(self, token: int) -> Digits:
        return Digits(self.left - 1, self.tokenizer)


@pytest.mark.parametrize("options", [{}, {"beams": 3}, {"beams": 12, "n_best": 12}, {"beams": 4, "beam_groups": 2},
                                     {"temperature": 2.0}, {"no_repeat_ngram": 1}, {"repetition_penalty": 5.0}])  # fmt: skip
def test_constrained_rows_keep_to_their_form_beside_free_ones(options: dict[str, Any]) -> None:
    model, tokenizer = make("transformer", "concat")
    batch = batch_of(model, TEXTS, PROMPTS)
    free = say(model, batch, max_tokens=6, **options)
    model.head.constraints = lambda batch: [Digits(3, tokenizer), None, Digits(1, tokenizer), None]
    told = say(model, batch, max_tokens=6, **options)
    for place, digits in ((0, 3), (2, 1)):
        for text in told[place].get("n_best", [told[place]]):
            assert text["prediction"].isdigit() and len(text["prediction"]) == digits and text["ended"]
    assert [told[place]["prediction"] for place in (1, 3)] == [free[place]["prediction"] for place in (1, 3)]


def test_one_best_of_all_constrained_texts_is_found_by_beams() -> None:
    model, tokenizer = make("transformer", "concat")
    batch = batch_of(model, ["abc"], [None])
    model.head.constraints = lambda batch: [Digits(1, tokenizer)]
    (row,) = say(model, batch, beams=10, n_best=10)
    assert sorted(text["prediction"] for text in row["n_best"]) == list("0123456789")
    with torch.inference_mode():
        logits = UncachedReader(model, batch).begin(*model.head.prompt(batch))[0]
    best = max("0123456789", key=lambda digit: float(logits[tokenizer.encode(digit)[0]]))
    assert say(model, batch)[0]["prediction"] == best


def test_a_constraint_that_allows_nothing_is_told_by_its_class() -> None:
    model, tokenizer = make()

    class Nothing(Script):
        def allowed(self) -> Tensor:
            return torch.zeros(self.vocabulary, dtype=torch.bool)

    model.head.constraints = lambda batch: [None, Nothing([], tokenizer.vocabulary)]
    with pytest.raises(ValueError, match=r"^Nothing.allowed of row 1 allows no token: it must allow one.$"):
        say(model, batch_of(model, TEXTS[:2], PROMPTS[:2]))


def test_a_repetition_penalty_keeps_a_text_from_repeating_itself() -> None:
    model, _ = make("transformer", "concat")
    batch = batch_of(model, TEXTS, PROMPTS)
    options = DecodingOptions(max_tokens=12, repetition_penalty=1e6)
    prompts = [set(row[:n].tolist()) for row, n in zip(*model.head.prompt(batch), strict=True)]
    for row, prompt in zip(generation.generate(model, batch, options), prompts, strict=True):
        assert len(set(row.ids)) == len(row.ids)
        assert not set(row.ids) & prompt


def test_every_pair_of_beam_and_length_penalty_ends_with_a_text() -> None:
    model, _ = make("gru", "concat")
    batch = batch_of(model, TEXTS, PROMPTS)
    for beams, penalty in itertools.product((2, 5), (0.0, 0.6, 2.0)):
        rows = generation.generate(model, batch, DecodingOptions(max_tokens=6, beams=beams, length_penalty=penalty))
        assert len(rows) == 4 and all(0 <= len(row.ids) <= 6 for row in rows)


@pytest.mark.parametrize("beams", [1, 3])
def test_no_sequence_of_tokens_stands_twice_where_that_is_asked_for(beams: int) -> None:
    model, _ = make("transformer", "concat")
    batch = batch_of(model, TEXTS, PROMPTS)
    prompts = [row[:n].tolist() for row, n in zip(*model.head.prompt(batch), strict=True)]
    repeating = 0
    for size in (1, 2, 3):
        options = {"max_tokens": 24, "beams": beams}
        for asked in (0, size):
            rows = generation.generate(model, batch, DecodingOptions(**options, no_repeat_ngram=asked))
            for prompt, row in zip(prompts, rows, strict=True):
                whole = prompt + row.ids
                grams = [tuple(whole[i : i + size]) for i in range(len(whole) - size + 1)]
                written = range(max(0, len(prompt) - size + 1), len(grams))  # a prompt may repeat itself
                again = sum(grams[place] in grams[:place] for place in written)
                assert not asked or not again
                repeating += again
    assert repeating, "texts that repeat nothing anyway prove nothing"


def test_a_row_that_is_done_takes_nothing_while_other_rows_go_on() -> None:
    head = SimpleNamespace(end=2, pad=0)
    options = DecodingOptions(max_tokens=3, beams=2, length_penalty=2.0)
    group = Group(1, 1, options, Stopping(head, ()), head, torch.device("cpu"))
    group.advance(torch.tensor([[[-1.2, -5.0, -1.0]]]), None)
    assert bool(group.done.all()), "the text `end` has -1 / 1 ** 2, and what goes on has -1.2 / 1 ** 2"
    group.advance(torch.tensor([[[-9.0, -9.0, -0.1]]]), None)  # would have (-1.2 - 0.1) / 2 ** 2
    assert [(text.ids, text.score) for text in group.texts()[0]] == [([], -1.0)]


def test_a_text_stops_before_a_stop_string_that_crosses_tokens() -> None:
    said = ["hello world. And more", "nothing of it", "wor", "我爱你，再见"]
    for tokenizer in ("byte", "bpe", "char"):
        model, batch = scripted(said, tokenizer)
        for beams in (1, 3):
            told = say(model, batch, stop=["o wor", "你，"], beams=beams)
            assert [row["prediction"] for row in told] == ["hell", "nothing of it", "wor", "我爱"]
            assert all(row["ended"] for row in told)
        assert told[0]["tokens"] < len("hello world. And more")


def test_the_first_of_several_stop_strings_counts() -> None:
    model, batch = scripted(["one, two; three"], "byte")
    assert say(model, batch, stop=[";", ", t"])[0]["prediction"] == "one"
    assert "".join(generation.stream(model, batch, DecodingOptions(stop=["; ", ", t"]))) == "one"


def test_a_stream_holds_back_what_may_become_a_stop_string() -> None:
    model, batch = scripted(["a END of it"], "byte")
    assert list(generation.stream(model, batch, DecodingOptions(stop=["END."]))) == [
        "a", " ", "END ", "o", "f", " ", "i", "t"
    ]  # fmt: skip
    assert list(generation.stream(model, batch, DecodingOptions(stop=["END"]))) == ["a", " "]


def test_a_stream_gives_whole_characters() -> None:
    model, batch = scripted(["née 我爱 👩‍🚒!"], "byte")
    pieces = list(generation.stream(model, batch, DecodingOptions()))
    assert pieces == list("née 我爱 👩‍🚒!")


def test_bytes_that_are_no_character_are_told_when_they_are_certain() -> None:
    model, tokenizer = make()
    broken = [5 + byte for byte in b"a\xe6\x88b\xe6"]
    model.head.constraints = lambda batch: [Script([*broken, tokenizer.end], tokenizer.vocabulary)]
    batch = batch_of(model, ["x"], [None])
    assert list(generation.stream(model, batch, DecodingOptions())) == ["a", "\ufffdb", "\ufffd"]
    assert say(model, batch)[0]["prediction"] == "a\ufffdb\ufffd"


@pytest.mark.parametrize("tokenizer", [name for name in REGISTRY.names("tokenizer") if name != "file"])
def test_a_stream_s_pieces_are_the_whole_text_with_every_tokenizer(tokenizer: str) -> None:
    drawn = torch.Generator().manual_seed(0)
    model, trained = make(tokenizer=tokenizer)
    batch = batch_of(model, ["x"], [None])
    for length in (1, 7, 40):
        ids = torch.randint(5, trained.vocabulary, (length,), generator=drawn).tolist()
        script = Script([*ids, trained.end], trained.vocabulary)
        model.head.constraints = lambda batch, script=script: [script]
        whole = say(model, batch)[0]["prediction"]
        assert "".join(generation.stream(model, batch, DecodingOptions())) == whole


@pytest.mark.parametrize(
    ("tokenizer", "prompt", "text", "whole"),
    [
        ("word", "a red", "triangle", "a red triangle"),
        ("word", "a red ", "triangle", "a red triangle"),
        ("word", "A Red", ", triangle", "A Red, triangle"),
        ("word", "a scarlet", "triangle", "a scarlet triangle"),
        ("byte", "a red", "triangle", "a redtriangle"),
        ("char", "a", " red", "a red"),
        ("bpe", "a red", " triangle", "a red triangle"),
        ("word", "", "triangle", "triangle"),
        ("word", None, "triangle", "triangle"),
        ("word", "a red", "", "a red"),
    ],
)
@pytest.mark.parametrize("beams", [1, 2])
def test_a_prompt_and_what_goes_on_from_it_are_one_text(
    tokenizer: str, prompt: str | None, text: str, whole: str, beams: int
) -> None:
    model, trained = make(tokenizer=tokenizer, corpus=["a red triangle", ", a"] * 3)
    script = Script([*trained.encode(text), trained.end], trained.vocabulary)
    model.head.constraints = lambda batch: [script]
    batch = batch_of(model, ["x"], [prompt])
    told = list(generation.stream(model, batch, DecodingOptions(beams=beams), echo=True))
    assert "".join(told) == whole
    alone = "".join(generation.stream(model, batch, DecodingOptions(beams=beams)))
    assert alone == say(model, batch, beams=beams)[0]["prediction"]


@pytest.mark.parametrize("options", [{}, {"beams": 3}, {"temperature": 1.0, "n_best": 3}])
def test_a_stream_gives_the_same_text_as_the_whole(options: dict[str, Any]) -> None:
    model, _ = make("gru", "cross_attention")
    batch = batch_of(model, ["abc"], ["p"])
    whole = say(model, batch, max_tokens=9, **options)[0]["prediction"]
    assert whole and "".join(generation.stream(model, batch, DecodingOptions(max_tokens=9, **options))) == whole


def test_int8_computes_nearly_the_same_logits_and_each_row_apart() -> None:
    model, _ = make("transformer", "cross_attention")
    batch = batch_of(model, TEXTS, PROMPTS)
    with torch.inference_mode(), pytest.MonkeyPatch.context() as patch:
        exact = UncachedReader(model, batch).begin(*model.head.prompt(batch))
        patch.setattr("mmlm_core.generation.int8.LEAST", 0)
        rounded = generation.to_int8(model)
        assert not [module for module in rounded.backbone.modules() if type(module) is torch.nn.Linear]
        near = UncachedReader(rounded, batch).begin(*model.head.prompt(batch))
        alone = batch_of(model, TEXTS[:1], PROMPTS[:1])
        first = UncachedReader(rounded, alone).begin(*model.head.prompt(alone))
    assert near.shape == exact.shape and not near.equal(exact)
    assert (near - exact).norm() < 0.05 * exact.norm()
    torch.testing.assert_close(first[0], near[0])


def test_int8_rounds_the_tied_table_s_logits_and_leaves_its_vectors() -> None:
    table = TokenTable(400, 256)
    rounded = Int8Table(table)
    ids, hidden = torch.tensor([[3, 399]]), torch.randn(2, 3, 256)
    assert rounded(ids).equal(table(ids))
    assert (rounded.logits(hidden) - table.logits(hidden)).norm() < 0.02 * table.logits(hidden).norm()


def test_an_int8_map_of_whole_numbers_is_exact() -> None:
    weight = torch.tensor([[127.0, -3.0, 5.0], [-127.0, 0.0, 64.0]])
    values = torch.tensor([[[1.0, -127.0, 2.0]], [[0.0, 0.0, 0.0]]])
    mapped = Int8Linear(weight, torch.tensor([0.5, 0.0]))(values)
    assert mapped.tolist() == [[[127.0 + 381.0 + 10.0 + 0.5, -127.0 + 128.0]], [[0.5, 0.0]]]
    assert Int8Linear(weight)(values[:0]).shape == (0, 1, 2)
