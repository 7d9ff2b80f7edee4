"""The head `ctc`: its loss, its decoding, its metrics, and transcripts that do not fit."""

import itertools
import logging
import math

import jiwer
import pytest
import torch
from torch.nn import functional

import mmlm_core
from mmlm_core.errors import CompositionError, DataError, OptionError
from mmlm_core.testing.contracts.materials import Characters
from mmlm_core.types import Batch, Example, Features
from mmlm_heads.ctc import Ctc
from mmlm_heads.ctc_decoding import beam_search, greedy
from mmlm_heads.ctc_options import CtcOptions
from mmlm_heads.ctc_targets import CtcTargets, needed_positions

TOKENIZER = Characters()
BLANK = 3


def probabilities(time: int, seed: int, tokens: int = BLANK + 1) -> torch.Tensor:
    return torch.randn(time, tokens, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).log_softmax(-1)


def collapsed(path) -> tuple[int, ...]:
    return tuple(token for token, _ in itertools.groupby(path) if token != BLANK)


def every_transcript(log_probs: torch.Tensor) -> dict[tuple[int, ...], float]:
    """The probability of each transcript, summed over every path that there is."""
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(BLANK + 1), repeat=len(log_probs)):
        probability = math.exp(sum(float(log_probs[place, token]) for place, token in enumerate(path)))
        found[collapsed(path)] = found.get(collapsed(path), 0.0) + probability
    return found


def head(modalities=("audio",), **options) -> Ctc:
    torch.manual_seed(0)
    return Ctc(
        CtcOptions(dropout=0.0, **options), width=4, modalities=modalities, facts={}, tokenizer=TOKENIZER, table=None
    )


def batch(*texts, lengths=None) -> tuple[dict[str, Features], Batch]:
    targets = CtcTargets(TOKENIZER, "audio")
    examples = [Example(f"rows.csv:{number}", {"audio": ["x"]}, text) for number, text in enumerate(texts, 1)]
    collated = targets.collate([targets.process(example, {}) for example in examples], {}, None)
    values = torch.randn(len(texts), 8, 4, generator=torch.Generator().manual_seed(1))
    mask = None if lengths is None else torch.arange(8) < torch.tensor(lengths).unsqueeze(1)
    return {"audio": Features(values, mask)}, Batch(len(texts), {}, collated, examples)


@pytest.mark.parametrize("seed", range(30))
def test_enough_beams_find_the_likeliest_transcript_over_all_paths(seed):
    log_probs = probabilities(5, seed)
    found = every_transcript(log_probs)
    assert math.isclose(sum(found.values()), 1, rel_tol=1e-9)
    assert tuple(beam_search(log_probs, BLANK, 1000, least=0)) == max(found, key=found.get)


def test_beams_can_find_what_greedy_decoding_misses():
    """Graves 2012, figure 7.5: the blank is likeliest at both positions, and yet some token was said in most paths."""
    log_probs = torch.tensor([[0.4, 0.0, 0.0, 0.6]] * 2).log()
    assert greedy(log_probs, BLANK) == [] and beam_search(log_probs, BLANK, 4) == [0]


@pytest.mark.parametrize("seed", range(10))
def test_greedy_decoding_collapses_the_likeliest_path(seed):
    log_probs = probabilities(12, seed)
    assert tuple(greedy(log_probs, BLANK)) == collapsed(log_probs.argmax(-1).tolist())


def test_a_blank_between_two_equal_tokens_keeps_both():
    sure = functional.one_hot(torch.tensor([1, 1, BLANK, 1, 2, 2]), BLANK + 1).float().clamp(min=1e-9).log()
    assert greedy(sure, BLANK) == beam_search(sure, BLANK, 8) == [1, 1, 2]


def test_nothing_is_read_off_no_position():
    assert greedy(torch.zeros(0, 4), BLANK) == beam_search(torch.zeros(0, 4), BLANK, 2) == []


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_is_the_probability_of_the_transcript_over_all_paths(seed):
    """A head whose tokens are the test's four, the last one being the blank."""

    class Three(Characters):
        vocabulary = BLANK

    torch.manual_seed(0)
    made = Ctc(CtcOptions(dropout=0.0), width=4, modalities=("audio",), facts={}, tokenizer=Three(), table=None)
    values = torch.randn(1, 4, 4, generator=torch.Generator().manual_seed(seed))
    log_probs = made.output(values)[0].detach().log_softmax(-1)
    found = every_transcript(log_probs)
    for ids in [(0,), (0, 1), (1, 1), (2, 0, 2)]:
        targets = {"labels": torch.tensor([ids]), "label_lengths": torch.tensor([len(ids)]),
                   "needed_positions": torch.tensor([needed_positions(torch.tensor(ids))])}  # fmt: skip
        loss = made.loss({"audio": Features(values)}, Batch(1, {}, targets))
        assert math.isclose(loss.total.item(), -math.log(found[ids]), rel_tol=1e-4)
        assert int(loss.count) == len(ids)


def test_repeated_tokens_need_a_position_more():
    assert [needed_positions(torch.tensor(ids)) for ids in ([1], [1, 2, 1], [1, 1], [1, 1, 1, 2, 2])] == [1, 3, 3, 8]


@pytest.mark.parametrize(("text", "held", "needed"), [("abc", 2, 3), ("aab", 3, 4), ("aaa", 4, 5)])
def test_a_transcript_is_refused_exactly_where_ctc_cannot_write_it(text, held, needed):
    targets = CtcTargets(TOKENIZER, "audio")

    def process(positions: int):
        return targets.process(Example("a", {}, text), {"audio": [{"positions": torch.tensor(positions)}]})

    assert process(held + 1)["labels"].tolist() == TOKENIZER.encode(text)
    repeated = f", and {needed - 3} for a blank between two that are the same," if needed > 3 else ""
    with pytest.raises(DataError) as caught:
        process(held)
    assert str(caught.value) == (
        f"The transcript has 3 tokens{repeated} and so needs {needed} positions; its `audio` has {held}. Let the encoder "
        "give more positions a second, or choose a tokenizer of longer tokens."
    )
    log_probs = torch.zeros(held + 1, 1, TOKENIZER.vocabulary + 1).log_softmax(-1)
    labels = torch.tensor([TOKENIZER.encode(text)])
    for length in (held, held + 1):
        loss = functional.ctc_loss(log_probs, labels, [length], [3], blank=TOKENIZER.vocabulary, reduction="sum")
        assert loss.isfinite() == (length > held)


def test_positions_of_several_sounds_of_a_row_count_together_and_none_hold_nothing():
    targets = CtcTargets(TOKENIZER, "audio")
    two = [{"positions": torch.tensor(2)}, {"positions": torch.tensor(1)}]
    assert "labels" in targets.process(Example("a", {}, "abc"), {"audio": two})
    with pytest.raises(DataError, match=r"needs 3 positions; its `audio` has 0\."):
        targets.process(Example("a", {}, "abc"), {"audio": []})


@pytest.mark.parametrize("target", ["", "  ", 7, ["a"], object()])
def test_a_target_that_is_no_transcript_is_refused(target):
    with pytest.raises(
        DataError,
        match=r"^The target .* (is blank: there is nothing to transcribe|transcript, not .*)\.$|^The target must be a text",
    ):
        CtcTargets(TOKENIZER, "audio").process(Example("a", {}, target), {})


def test_where_the_positions_were_not_known_a_row_that_does_not_fit_is_left_out_and_named(caplog):
    made = head()
    outputs, rows = batch("aab", "abc", lengths=[3, 3])
    with caplog.at_level(logging.WARNING):
        loss = made.loss(outputs, rows)
    alone_outputs, alone = batch("aab", "abc", lengths=[8, 3])
    alone_outputs["audio"] = Features(outputs["audio"].values[1:], outputs["audio"].valid[1:])
    alone = Batch(1, {}, {name: tensor[1:] for name, tensor in alone.targets.items()}, alone.examples[1:])
    expected = made.loss(alone_outputs, alone)
    torch.testing.assert_close(loss.total, expected.total)
    assert int(loss.count) == int(expected.count) == 3
    assert caplog.messages == [
        "Left `rows.csv:1` out of the loss: its transcript 'aab' needs 4 positions; its `audio` has 3."
    ]
    loss.total.backward()
    assert all(parameter.grad.isfinite().all() for parameter in made.parameters())


def test_a_batch_in_which_nothing_fits_has_a_loss_of_zero_and_gradients_of_zero():
    made = head()
    outputs, rows = batch("aab", "ccc", lengths=[3, 0])
    loss = made.loss(outputs, rows)
    loss.mean.backward()
    assert loss.total.item() == 0 and int(loss.count) == 0
    assert all((parameter.grad == 0).all() for parameter in made.parameters())


def test_padding_between_two_items_of_a_row_is_skipped():
    made = head().eval()
    values = torch.randn(1, 4, 4, generator=torch.Generator().manual_seed(2))
    whole = made.predict({"audio": Features(values)}, Batch(1, {}, {}))
    holes = torch.cat([values[:, :2], torch.full((1, 3, 4), 9.0), values[:, 2:]], 1)
    mask = torch.tensor([[True, True, False, False, False, True, True]])
    items = torch.tensor([[0, 0, 0, 0, 1, 1, 1]])
    assert made.predict({"audio": Features(holes, mask, items=items)}, Batch(1, {}, {})) == whole


def test_it_learns_a_transcript_and_both_decoders_say_it():
    made = head()
    outputs, rows = batch("aab", "c")
    values = torch.nn.Parameter(outputs["audio"].values)
    optimizer = torch.optim.Adam([*made.parameters(), values], lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        made.loss({"audio": Features(values)}, rows).mean.backward()
        optimizer.step()
    for beams in (1, 8):
        made._beams = beams
        said = made.eval().predict({"audio": Features(values)}, rows)
        assert [row["prediction"] for row in said] == ["aab", "c"]


def test_error_rates_are_jiwers():
    wanted = ["the cat sat", "on", "我爱你 吗"]
    given = ["the cat sad", "", "我爱 吗 吗"]
    measured = head().metrics([{"prediction": text} for text in given], wanted)
    assert measured["wer"] == jiwer.wer(wanted, given) == 4 / 6  # sat, on, 我爱你, and 吗 too many
    assert measured["cer"] == jiwer.cer(wanted, given)
    assert measured["exact_match"] == 0
    assert head().metrics([{"prediction": text} for text in wanted], wanted) == {
        "cer": 0.0,
        "wer": 0.0,
        "exact_match": 1.0,
    }


def test_the_input_that_is_read_can_be_named():
    assert head(("audio", "image"), input="image").reads == ("image",)
    with pytest.raises(OptionError) as caught:
        head(("audio", "image"), input="imag")
    assert str(caught.value).startswith("`input` must name an input of the model, not `imag`. Did you mean `image`?")
    with pytest.raises(OptionError, match=r"^`input` must name a modality, as `audio`, not `encoder/audio`\.$"):
        CtcOptions(input="encoder/audio")


def test_compositions_that_cannot_be_read_in_order_are_refused_with_the_reason():
    def told(*words: str) -> str:
        try:
            mmlm_core.compose(["data=emoji_questions", "head=ctc", "backbone=gru", "tokenizer=char", *words])
        except CompositionError as error:
            return str(error)
        return ""

    both = ["encoder/image=cnn", "encoder/text=embedding"]
    assert told("encoder/text=embedding") == told(*both, "head.input=text") == ""
    assert "reads one input, which `head.input` names where there are several" in told(*both)
    assert "`encoder/audio`" in told(*both, "head.input=audio")
    assert "`projection`" in told("encoder/text=embedding", "projection/text=pool")
    assert "that provides `sequence`" in told("encoder/image=timm", "encoder.image.features=pooled")
