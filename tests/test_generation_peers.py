"""Generation beside `transformers`: the same weights say the same tokens, and probabilities are narrowed alike."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LogitsProcessorList,
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from mmlm_core import generation
from mmlm_core.generation.choosing import choose, draws, narrow
from mmlm_core.generation.rules import Rules
from mmlm_core.model import Model
from mmlm_core.plugins import load_plugins
from mmlm_core.settings import DecodingOptions
from mmlm_core.testing.contracts.common import Characters
from mmlm_core.tokens import TokenTable
from mmlm_core.types import QUERIES, Batch, Example

VOCABULARY, END, PAD, TOKENS = 20, 9, 0, 12
PROMPTS = [[1, 5, 6], [1, 7, 8, 7, 8, 10, 11], [1], [1, 19, 18, 17, 19, 18]]


class Codes(Characters):
    """A tokenizer of twenty ids."""

    vocabulary, pad, begin, end = VOCABULARY, PAD, 1, END


def pair() -> tuple[GPT2LMHeadModel, Model]:
    """Return GPT-2 of `transformers`, and the same composed of our parts, with the same weights."""
    registry = load_plugins().registry
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=2, n_positions=32, activation_function="gelu",
        bos_token_id=1, eos_token_id=END, pad_token_id=PAD, initializer_range=0.2,
    )  # fmt: skip
    theirs = GPT2LMHeadModel(config).eval()

    def made(kind: str, name: str, options: dict[str, Any], **wired: Any) -> Any:
        component = registry.get(kind, name)
        return component.load()(component.options(**options), **wired)

    table = TokenTable(VOCABULARY, 16)
    shape = {"width": 16, "depth": 2, "heads": 2, "max_positions": 32, "bias": True}
    backbone = made("backbone", "transformer", {**shape, "activation": "gelu", "positions": "learned"}, causal=True)
    fusion = made("fusion", "concat", {}, width=16, depth=2, modalities=(), reads=(QUERIES,))
    head = made("head", "language_modeling", {}, width=16, modalities=(), facts={}, tokenizer=Codes(), table=table)
    copies = [(table.embedding, theirs.transformer.wte), (backbone.position_table, theirs.transformer.wpe),
              (backbone.final_norm, theirs.transformer.ln_f)]  # fmt: skip
    with torch.no_grad():
        for block, peer in zip(backbone.blocks, theirs.transformer.h, strict=True):
            copies += [(block.attention_norm, peer.ln_1), (block.feed_forward_norm, peer.ln_2)]
            for mine, its in ((block.qkv, peer.attn.c_attn), (block.attention_out, peer.attn.c_proj),
                              (block.up, peer.mlp.c_fc), (block.down, peer.mlp.c_proj)):  # fmt: skip
                mine.weight.copy_(its.weight.t())
                mine.bias.copy_(its.bias)
        for mine, its in copies:
            mine.load_state_dict(its.state_dict())
    return theirs, Model({}, {}, fusion, backbone, head).eval()


def ours(model: Model, prompts: list[list[int]], **options: Any) -> list[list[list[int]]]:
    """Return each row's texts, best first."""
    lengths = torch.tensor([len(prompt) for prompt in prompts])
    ids = torch.full((len(prompts), int(lengths.max())), PAD)
    for row, prompt in enumerate(prompts):
        ids[row, : len(prompt)] = torch.tensor(prompt)
    batch = Batch(len(prompts), {}, {"prompt": ids, "prompt_lengths": lengths})
    rows = generation.generate(model, batch, DecodingOptions(**{"max_tokens": TOKENS, **options}))
    return [[text.ids for text in (row, *row.others)] for row in rows]


def theirs(peer: GPT2LMHeadModel, prompts: list[list[int]], n_best: int = 1, **options: Any) -> list[list[list[int]]]:
    """Return each row's texts by `transformers`, which wants the prompts padded before."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[PAD] * (longest - len(prompt)) + prompt for prompt in prompts])
    options = {"max_new_tokens": TOKENS, "do_sample": False, "num_return_sequences": n_best, **options}
    out = peer.generate(ids, attention_mask=(ids != PAD).long(), **options)[:, longest:].tolist()
    texts = [row[: row.index(END)] if END in row else row for row in out]
    return [texts[first : first + n_best] for first in range(0, len(texts), n_best)]


@pytest.fixture(scope="module")
def both() -> tuple[GPT2LMHeadModel, Model]:
    return pair()


Both = tuple[GPT2LMHeadModel, Model]


@pytest.mark.parametrize(
    ("mine", "its"),
    [
        ({}, {}),
        ({"repetition_penalty": 1.3}, {"repetition_penalty": 1.3}),
        ({"no_repeat_ngram": 2}, {"no_repeat_ngram_size": 2}),
        ({"beams": 4}, {"num_beams": 4}),
        ({"beams": 4, "n_best": 4}, {"num_beams": 4, "n_best": 4}),
        ({"beams": 3, "n_best": 2, "length_penalty": 0.0}, {"num_beams": 3, "n_best": 2, "length_penalty": 0.0}),
        ({"beams": 5, "n_best": 5, "length_penalty": 0.5}, {"num_beams": 5, "n_best": 5, "length_penalty": 0.5}),
        ({"beams": 4, "n_best": 3, "no_repeat_ngram": 2}, {"num_beams": 4, "n_best": 3, "no_repeat_ngram_size": 2}),
    ],
    ids=str,
)  # fmt: skip
def test_texts_equal_those_of_transformers(both: Both, mine: dict[str, Any], its: dict[str, Any]) -> None:
    peer, model = both
    expected = [row for prompt in PROMPTS for row in theirs(peer, [prompt], **its)]
    assert ours(model, PROMPTS, **mine) == expected
    assert len({tuple(row[0]) for row in expected}) > 1
    assert len({len(text) for row in expected for text in row}) > 1, (
        "texts that all reach the limit prove nothing about the end"
    )


@pytest.mark.parametrize("options", [{"temperature": 0.7}, {"top_k": 5}, {"top_p": 0.6}, {"min_p": 0.3},
                                     {"temperature": 1.4, "top_k": 12, "top_p": 0.9, "min_p": 0.1}])  # fmt: skip
def test_probabilities_are_narrowed_as_by_transformers(options: dict[str, Any]) -> None:
    scores = torch.randn(64, 50, generator=torch.Generator().manual_seed(0)).mul(2).log_softmax(-1)
    mine = DecodingOptions(**{"temperature": 1.0, **options})
    warpers = LogitsProcessorList(
        [
            TemperatureLogitsWarper(mine.temperature),
            *([TopKLogitsWarper(mine.top_k)] if mine.top_k else []),
            *([TopPLogitsWarper(mine.top_p)] if mine.top_p < 1 else []),
            *([MinPLogitsWarper(mine.min_p)] if mine.min_p else []),
        ]
    )
    expected = warpers(torch.zeros(64, 1, dtype=torch.long), scores)
    assert narrow(scores, mine).equal(expected)
    assert (len(options) == 1 and "temperature" in options) or bool(expected.isinf().any())


def test_what_was_said_is_penalised_and_not_repeated_as_by_transformers() -> None:
    drawn = torch.Generator().manual_seed(0)
    ids = torch.randint(3, 6, (16, 10), generator=drawn)
    logits = torch.randn(16, 12, generator=drawn)

    def rules(**options: Any) -> Tensor:
        made = Rules(pair()[1].head, Batch(16, {}, {}), DecodingOptions(**options), ids, torch.full((16,), 10))
        return made.score(logits)

    penalised = RepetitionPenaltyLogitsProcessor(1.7)(ids, logits)
    assert torch.allclose(rules(repetition_penalty=1.7), penalised.log_softmax(-1))
    for size in (1, 2, 3):
        expected = NoRepeatNGramLogitsProcessor(size)(ids, logits.log_softmax(-1))
        assert rules(no_repeat_ngram=size).equal(expected)
        assert bool(expected.isinf().any())
    assert rules(no_repeat_ngram=100, max_tokens=1).equal(logits.log_softmax(-1)), "longer than any text"


@pytest.mark.parametrize("probabilities", [[0.5, 0.25, 0.125, 0.125], [0.25] * 4])
def test_as_few_tokens_as_have_the_probability_together_are_drawn_among_as_by_transformers(
    probabilities: list[float],
) -> None:
    scores = torch.tensor([probabilities]).log()
    expected = TopPLogitsWarper(0.5)(torch.zeros(1, 1, dtype=torch.long), scores)
    kept = narrow(scores, DecodingOptions(temperature=1.0, top_p=0.5)).exp().sort().values
    assert kept.equal(expected.exp().sort().values), "among equally likely tokens either may go"
    alone = narrow(scores, DecodingOptions(temperature=1.0, top_p=0.0))
    assert int(alone.isfinite().sum()) == 1


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    probabilities = torch.tensor([0.5, 0.0, 0.3, 0.2])
    keys = [Example(str(row)) for row in range(4000)]
    options = DecodingOptions(max_tokens=1, temperature=1.0)
    drawn = draws(Batch(len(keys), {}, {}, keys), options)[:, 0]
    tokens = choose(probabilities.log().expand(len(keys), -1), options, drawn)
    shares = torch.bincount(tokens, minlength=4) / len(keys)
    assert shares[1] == 0
    assert torch.allclose(shares, probabilities, atol=0.03)  # four standard deviations of 4000 draws
