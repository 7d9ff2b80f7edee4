"""Generation: with a cache as without, token for token; beams find what an exhaustive search finds."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from mmlm_core import generation
from mmlm_core.build import build
from mmlm_core.composition import Composition
from mmlm_core.data import collate_examples
from mmlm_core.interfaces import Backbone
from mmlm_core.model import Model
from mmlm_core.plugins import load_plugins
from mmlm_core.reading import UncachedReader
from mmlm_core.settings import DecodingOptions
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


def make(backbone: str, fusion: str, encoder: str = "embedding") -> tuple[Model, Any]:
    """Return a random model that writes a text about a text, and its tokenizer."""
    tiny = REGISTRY.get("backbone", backbone).tiny
    mapping = {
        "data": {"name": "table", "path": "none.csv", "inputs": {"text": "text"}, "target": "target"},
        "tokenizer": {"name": "byte"},
        "encoder": {"text": {"name": encoder}},
        "projection": {"text": {"name": "linear"}},
        "fusion": {"name": fusion},
        "backbone": {"name": backbone, **tiny, "depth": 2},
        "head": {"name": "captioning", "tie": False},
        "optimizer": {"name": "adamw"},
        "schedule": {"name": "constant"},
    }
    composition = Composition.from_mapping(REGISTRY, mapping)
    choice = composition["tokenizer"]
    tokenizer = choice.component.load()(choice.options)
    tokenizer.train(["text"])
    model = build(composition, tokenizer=tokenizer).eval()
    with torch.no_grad():  # larger weights than a fresh model's, so that texts differ and end at different steps
        for parameter in model.parameters():
            parameter.mul_(3.0) if parameter.ndim > 1 else None
    return model, tokenizer


def batch_of(model: Model, texts: list[str], prompts: list[str | None]) -> Batch:
    examples = [Example(str(i), {"text": [t]}, None, p) for i, (t, p) in enumerate(zip(texts, prompts, strict=True))]
    return collate_examples(examples, model.processors(), model.head.target_processor())


TEXTS = ["a", "a much longer text than the others", "two words", "我爱吃苹果"]
PROMPTS = ["", "begins so", None, "x"]


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


def test_a_stream_gives_the_same_tokens_as_the_whole() -> None:
    model, _ = make("gru", "cross_attention")
    batch = batch_of(model, ["abc"], ["p"])
    options = DecodingOptions(max_tokens=9)
    whole = generation.predict(model, batch, options)[0]["prediction"]
    assert whole and "".join(generation.stream(model, batch, options)) == whole


def test_sampling_repeats_itself_under_a_seed_and_differs_under_another() -> None:
    model, _ = make("transformer", "concat")
    batch = batch_of(model, TEXTS, PROMPTS)

    def sample(seed: int, **options: Any) -> list[list[int]]:
        chosen = DecodingOptions(max_tokens=12, temperature=1.5, seed=seed, **options)
        return [row.ids for row in generation.generate(model, batch, chosen)]

    assert sample(1) == sample(1) != sample(2)
    greedy = [row.ids for row in generation.generate(model, batch, DecodingOptions(max_tokens=12))]
    assert sample(1, top_k=1) == sample(2, top_p=1e-6) == greedy


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
