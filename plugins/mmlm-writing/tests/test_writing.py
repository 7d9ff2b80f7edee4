"""The heads that write, their targets and their loss, over a tokenizer of characters and hand-made hidden states."""

import math
import pickle
from pathlib import Path

import pytest
import torch

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Tokenizer
from mmlm_core.tokens import TokenTable
from mmlm_core.types import QUERIES, Batch, Example, Features
from mmlm_writing.captioning import Captioning
from mmlm_writing.language_modeling import LanguageModeling
from mmlm_writing.options import CaptioningOptions, LanguageModelingOptions
from mmlm_writing.token_targets import TokenTargets

PAD, BEGIN, END, UNKNOWN, MASK = range(5)
WIDTH = 6


class Letters(Tokenizer):
    """`a` is 5, `b` is 6, ... to `h`, 12; any other character is unknown."""

    vocabulary, pad, begin, end, unknown, mask = 13, PAD, BEGIN, END, UNKNOWN, MASK

    def encode(self, item: str) -> list[int]:
        return [ord(letter) - 92 if "a" <= letter <= "h" else UNKNOWN for letter in item]

    def decode(self, ids) -> str:
        return "".join(chr(number + 92) for number in ids if number > MASK)

    def train(self, corpus) -> None: ...

    def save(self, folder: Path) -> None: ...

    def load(self, folder: Path) -> None: ...


def make(kind=Captioning, modalities=("image",), **options):
    torch.manual_seed(0)
    schema = CaptioningOptions if kind is Captioning else LanguageModelingOptions
    tokenizer, table = Letters(), TokenTable(13, WIDTH)
    torch.nn.init.normal_(table.embedding.weight)
    return kind(schema(**options), width=WIDTH, modalities=modalities, facts={}, tokenizer=tokenizer, table=table)


def make_batch(head, targets, prompts=None, generator=None):
    processor = head.target_processor()
    prompts = prompts or [None] * len(targets)
    rows = [processor.process(Example(f"k{i}", target=t, prompt=p), {})
            for i, (t, p) in enumerate(zip(targets, prompts, strict=True))]  # fmt: skip
    return Batch(len(targets), {}, processor.collate(rows, {}, generator))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def run(head, batch):
    """What a backbone of one layer that looks at nothing but its own position would give."""
    queries = head.queries(batch)
    return {QUERIES: queries.with_values(queries.values.cos())}


def naive(head, batch, smoothing=0.0):
    """The loss by a loop over rows and positions, of a batch without windows."""
    total, count = 0.0, 0
    weight = head.table.embedding.weight if head.output is None else head.output.weight
    for ids, labels in zip(batch.targets["ids"].tolist(), batch.targets["labels"].tolist(), strict=True):
        for token, label in zip(ids, labels, strict=True):
            if label == -100:
                continue
            scores = (weight @ head.table.embedding.weight[token].cos()).tolist()
            norm = math.log(sum(math.exp(score) for score in scores))
            wanted = (1 - smoothing) * scores[label] + smoothing * sum(scores) / len(scores)
            total, count = total + norm - wanted, count + 1
    return total, count


# targets


def test_each_position_holds_a_token_and_its_label_is_the_next():
    batch = make_batch(make(), ["ab", "c"])
    assert batch.targets["ids"].tolist() == [[BEGIN, 5, 6], [BEGIN, 7, PAD]]
    assert batch.targets["labels"].tolist() == [[5, 6, END], [7, END, -100]]
    assert batch.targets["mask"].tolist() == [[True, True, True], [True, True, False]]
    assert batch.targets["lengths"].tolist() == [3, 2]


def test_rows_of_one_length_have_no_mask():
    assert "mask" not in make_batch(make(), ["ab", "cd"]).targets


def test_a_prompt_is_read_and_not_scored():
    batch = make_batch(make(), ["c", "d"], ["ab", None])
    assert batch.targets["ids"].tolist() == [[BEGIN, 5, 6, 7], [BEGIN, 8, PAD, PAD]]
    assert batch.targets["labels"].tolist() == [[-100, -100, 7, END], [8, END, -100, -100]]


@pytest.mark.parametrize("targets", [["c", "d"], [None, None]], ids=["with targets", "without"])
def test_a_generation_begins_with_the_prompt_and_never_with_the_target(targets):
    head = make()
    ids, lengths = head.prompt(make_batch(head, targets, ["ab", None]))
    assert ids.tolist() == [[BEGIN, 5, 6], [BEGIN, PAD, PAD]] and lengths.tolist() == [3, 1]


def test_prediction_has_no_labels_and_reads_the_prompt():
    batch = make_batch(make(), [None, None], ["ab", None])
    assert "labels" not in batch.targets
    assert batch.targets["ids"].tolist() == [[BEGIN, 5, 6], [BEGIN, PAD, PAD]]


def test_a_training_batch_carries_only_what_training_reads():
    batch = make_batch(make(), ["ab", "c"], generator=seeded())
    assert sorted(batch.targets) == ["ids", "labels", "lengths", "mask"]


@pytest.mark.parametrize("target", ["", "  \n"])
def test_a_blank_target_is_refused(target):
    with pytest.raises(DataError) as caught:
        make_batch(make(), [target])
    assert str(caught.value) == f"The target {target!r} is blank: there is nothing to learn to write."


@pytest.mark.parametrize("target", [3, ["a", 3], b"a"])
def test_a_target_that_is_no_text_is_refused(target):
    with pytest.raises(DataError, match="The target must be a text, not "):
        make_batch(make(), [target])


def test_an_empty_list_of_captions_is_refused():
    with pytest.raises(DataError, match="an empty list"):
        make_batch(make(), [[]])


def test_a_batch_with_and_without_targets_is_refused():
    with pytest.raises(DataError, match="1 of the 2 rows of a batch have no target"):
        make_batch(make(), ["a", None])


def test_a_longer_caption_is_refused_with_both_ways_out():
    make_batch(make(max_tokens=3), ["abc"])
    with pytest.raises(DataError) as caught:
        make_batch(make(max_tokens=3), ["abcd"])
    assert str(caught.value) == (
        "The target has 4 tokens, more than `head.max_tokens`, which is 3: "
        "raise that, or cut with `head.truncate=true`."
    )


def test_a_cut_caption_teaches_no_end():
    batch = make_batch(make(max_tokens=3, truncate=True), ["abcd", "abc"])
    assert batch.targets["labels"].tolist() == [[5, 6, 7, -100], [5, 6, 7, END]]


def test_of_several_captions_training_draws_each_and_evaluation_takes_the_first():
    head, captions = make(), ["ab", "cd", "e"]
    assert make_batch(head, [captions]).targets["labels"].tolist() == [[5, 6, END]]
    drawn = {str(make_batch(head, [captions], generator=seeded(s)).targets["labels"].tolist()) for s in range(40)}
    assert drawn == {f"[[5, 6, {END}]]", f"[[7, 8, {END}]]", f"[[9, {END}]]"}


def test_token_dropout_hides_tokens_in_training_alone_and_never_the_first_nor_padding():
    head, targets = make(token_dropout=0.5), ["abcdefgh" * 8, "abc"]
    clean = make_batch(head, targets).targets
    noisy = make_batch(head, targets, generator=seeded()).targets
    changed = noisy["ids"] != clean["ids"]
    assert (noisy["ids"][changed] == UNKNOWN).all() and 20 < changed.sum() < 45
    assert not changed[:, 0].any() and not changed[~clean["mask"]].any()
    assert torch.equal(noisy["labels"], clean["labels"])
    assert UNKNOWN not in clean["ids"]


def test_the_same_generator_gives_the_same_batch():
    head = make(LanguageModeling, (), context=4, token_dropout=0.3)
    first, second = (make_batch(head, ["abcdefgh", "hgfedcba"], generator=seeded(5)).targets for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_processor_pickles_and_gives_the_same():
    processor = make().target_processor()
    again = pickle.loads(pickle.dumps(processor))
    example = Example("k", target="abc")
    assert isinstance(again, TokenTargets)
    assert again.process(example, {})["ids"].tolist() == processor.process(example, {})["ids"].tolist()


# loss


@pytest.mark.parametrize("tie", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_the_loss_equals_a_naive_loop(tie, training):
    head = make(tie=tie).train(training)
    batch = make_batch(head, ["abc", "d", "hg"], ["e", None, "ff"])
    loss = head.loss(run(head, batch), batch)
    total, count = naive(head, batch)
    assert loss.total.item() == pytest.approx(total, rel=1e-5) and loss.count.item() == count == 4 + 2 + 3


def test_label_smoothing_is_taken_over_scored_tokens_and_in_training_alone():
    head = make(label_smoothing=0.2)
    batch = make_batch(head, ["abc", "d"])
    assert head.loss(run(head, batch), batch).total.item() == pytest.approx(naive(head, batch, 0.2)[0], rel=1e-5)
    head.eval()
    assert head.loss(run(head, batch), batch).total.item() == pytest.approx(naive(head, batch)[0], rel=1e-5)


def test_positions_that_are_not_scored_never_reach_the_loss():
    for training in (True, False):
        head = make().train(training)
        batch = make_batch(head, ["abc", "d"], [None, "e"])
        outputs = run(head, batch)
        hidden = outputs[QUERIES].values.detach().requires_grad_()
        head.loss({QUERIES: Features(hidden, batch.targets["mask"])}, batch).total.backward()
        scored = batch.targets["labels"] != -100
        assert hidden.grad[~scored].abs().max() == 0
        assert (hidden.grad[scored].abs().sum(-1) > 0).all()


@pytest.mark.parametrize("training", [True, False])
def test_padding_a_batch_further_changes_no_loss(training):
    head = make(label_smoothing=0.1).train(training)
    batch = make_batch(head, ["abc", "d"])
    longer = make_batch(head, ["abc", "d", "abcdefgh"]).targets
    padded = Batch(2, {}, {name: tensor[:2] for name, tensor in longer.items()})
    first, second = (head.loss(run(head, b), b) for b in (batch, padded))
    assert torch.allclose(first.total, second.total, rtol=1e-6) and first.count == second.count


def test_selecting_scored_positions_equals_ignoring_the_others():
    head = make(label_smoothing=0.1)
    batch = make_batch(head, ["abc", "d"])
    outputs = run(head, batch)
    whole = torch.nn.functional.cross_entropy(
        head.logits(outputs[QUERIES].values).flatten(0, 1), batch.targets["labels"].flatten(),
        ignore_index=-100, label_smoothing=0.1, reduction="sum",
    )  # fmt: skip
    assert torch.allclose(head.loss(outputs, batch).total, whole, rtol=1e-6)


def test_a_batch_in_which_nothing_is_scored_has_a_loss_of_zero_with_gradients():
    head = make(LanguageModeling, (), context=2)
    batch = make_batch(head, ["ab"])
    batch.targets["labels"].fill_(-100)
    loss = head.loss(run(head, batch), batch)
    loss.mean.backward()
    assert loss.mean.item() == 0 and head.table.embedding.weight.grad.abs().sum() == 0


def test_correct_tokens_are_counted_in_evaluation():
    head = make().eval()
    batch = make_batch(head, ["aa"])
    hidden = torch.zeros(1, 3, WIDTH)
    hidden[0, 0] = head.table.embedding.weight[5] * 50  # far along `a`
    logits = head.logits(hidden)
    right = int((logits.argmax(-1) == batch.targets["labels"]).sum())
    loss = head.loss({QUERIES: Features(hidden)}, batch)
    assert loss.figures["correct"].item() == right
    assert head.train().loss({QUERIES: Features(hidden)}, batch).figures == {}


def test_dropout_is_on_what_training_reads_alone():
    head = make(dropout=0.5)
    batch = make_batch(head, ["abcdefgh"])
    assert (head.queries(batch).values == 0).float().mean() > 0.2
    assert torch.equal(head.eval().queries(batch).values, head.embed(batch.targets["ids"]))


@pytest.mark.parametrize("tie", [True, False])
def test_gradients_reach_every_parameter_and_a_tied_head_has_the_table_alone(tie):
    head = make(tie=tie)
    batch = make_batch(head, ["abc", "d"])
    head.loss(run(head, batch), batch).total.backward()
    named = dict(head.named_parameters())
    assert len(named) == (1 if tie else 2)
    assert all(parameter.grad.abs().sum() > 0 for parameter in named.values())


# scores


def test_scores_are_minus_the_loss_by_row():
    head = make().eval()
    batch = make_batch(head, ["abc", "d", "hgfedc"])
    rows = head.predict(run(head, batch), batch)
    for row, text in zip(rows, ["abc", "d", "hgfedc"], strict=True):
        total, count = naive(head, make_batch(head, [text]))
        assert row["prediction"] is None and row["scored_tokens"] == count == len(text) + 1
        assert row["log_likelihood"] == pytest.approx(-total, rel=1e-5)


def test_without_targets_there_is_nothing_to_score():
    for kind in (Captioning, LanguageModeling):
        head = make(kind).eval()
        batch = make_batch(head, [None, None])
        assert head.predict(run(head, batch), batch) == [{"prediction": None}] * 2


# language modelling


def test_training_reads_a_random_window_of_a_longer_text():
    head = make(LanguageModeling, (), context=3)
    windows = set()
    for seed in range(60):
        targets = make_batch(head, ["abcdefgh", "ab"], generator=seeded(seed)).targets
        assert targets["ids"].shape == (2, 3)
        windows.add(str(targets["ids"][0].tolist()))
        assert targets["labels"][0, :2].tolist() == targets["ids"][0, 1:].tolist()
    assert len(windows) == 7  # 9 positions, 3 at a time


TEXTS = ["abcdefgh", "a", "hgfed", "abcdefghabcdefgha"]


@pytest.mark.parametrize("overlap", [0, 2])
@pytest.mark.parametrize("modalities", [(), ("image",)], ids=["text alone", "with inputs"])
def test_evaluation_scores_every_token_of_every_text_exactly_once(overlap, modalities):
    head = make(LanguageModeling, modalities, context=4, overlap=overlap).eval()
    batch = make_batch(head, TEXTS)
    outputs = run(head, batch)
    loss = head.loss(outputs, batch)
    whole = make(LanguageModeling, (), context=99).eval()
    total, count = naive(whole, make_batch(whole, TEXTS))  # the backbone sees no other position
    assert loss.count.item() == count == sum(len(text) + 1 for text in TEXTS)
    assert loss.total.item() == pytest.approx(total, rel=1e-5)
    rows = head.predict(outputs, batch)
    assert [row["scored_tokens"] for row in rows] == [len(text) + 1 for text in TEXTS]
    for row, text in zip(rows, TEXTS, strict=True):
        expected, _ = naive(whole, make_batch(whole, [text]))
        assert row["log_likelihood"] == pytest.approx(-expected, rel=1e-5)


def test_an_evaluation_by_windows_reads_as_many_rows_as_there_are_windows():
    head = make(LanguageModeling, (), context=4).eval()
    queries = head.queries(make_batch(head, TEXTS))
    assert queries.values.shape == (3 + 1 + 2 + 5, 4, WIDTH)
    assert queries.mask.sum() == sum(len(text) + 1 for text in TEXTS)
    short = head.queries(make_batch(head, ["abc", "ab"]))
    assert short.values.shape == (2, 4, WIDTH)


def test_with_inputs_a_text_stays_one_row():
    head = make(LanguageModeling, ("image",), context=4).eval()
    assert head.queries(make_batch(head, TEXTS)).values.shape == (4, 18, WIDTH)


def test_perplexity_and_bits_per_character_are_over_the_whole_split():
    head = make(LanguageModeling, ())
    rows = [
        {"prediction": None, "log_likelihood": -2 * math.log(8), "scored_tokens": 2, "scored_characters": 6},
        {"prediction": None, "log_likelihood": -2 * math.log(2), "scored_tokens": 2, "scored_characters": 2},
    ]
    assert head.metrics(rows, ["x", "y"]) == pytest.approx({"perplexity": 4, "bits_per_character": 1})


def test_perplexity_equals_that_of_the_loss():
    head = make(LanguageModeling, (), context=4).eval()
    batch = make_batch(head, TEXTS)
    outputs = run(head, batch)
    loss, rows = head.loss(outputs, batch), head.predict(outputs, batch)
    assert head.metrics(rows, TEXTS)["perplexity"] == pytest.approx(math.exp(loss.mean.item()), rel=1e-5)
    bits = loss.total.item() / math.log(2) / sum(map(len, TEXTS))
    assert head.metrics(rows, TEXTS)["bits_per_character"] == pytest.approx(bits, rel=1e-5)


def test_generated_texts_and_no_rows_have_no_perplexity():
    head = make(LanguageModeling, ())
    assert head.metrics([], []) == {}
    assert head.metrics([{"prediction": "ab", "score": -1.0, "tokens": 2}], ["ab"]) == {}


def test_a_hopeless_model_has_a_finite_perplexity():
    row = {"prediction": None, "log_likelihood": -1e6, "scored_tokens": 2, "scored_characters": 2}
    assert math.isfinite(make(LanguageModeling, ()).metrics([row], ["a"])["perplexity"])


# captioning


def test_a_captioner_measures_generated_texts():
    metrics = make().metrics([{"prediction": "a cat"}, {"prediction": "dog"}], ["a cat", ["dog face", "dog"]])
    assert metrics["exact_match"] == 1 and Captioning.monitor[0] in metrics


def test_heads_that_write_are_causal_read_their_queries_and_decode_text():
    for kind in (Captioning, LanguageModeling):
        head = make(kind)
        assert head.causal and head.reads == (QUERIES,)
        assert (head.end, head.pad) == (END, PAD)
        assert head.decode([5, 6, END]) == "ab"
