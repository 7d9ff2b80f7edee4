"""What is hidden, and that nothing else reaches the loss."""

import math

import pytest
import torch
from torch.nn import functional

from mmlm_core.errors import DataError
from mmlm_core.targets import IGNORED
from mmlm_core.testing.contracts.materials import Characters
from mmlm_core.tokens import TokenTable
from mmlm_core.types import Batch, Example, Features, Items
from mmlm_pretraining.masked_language_modeling import MaskedLanguageModeling
from mmlm_pretraining.masking import MaskingTargets, choose
from mmlm_pretraining.options import MaskedLanguageModelingOptions

TOKENIZER = Characters()
LONG = "the quick brown fox jumps over the lazy dog " * 25


def collated(texts, generator=None, rate=0.15, whole_words=False, tokenizer=TOKENIZER):
    """Return original and corrupted ids of rows of texts, and the targets."""
    processor = MaskingTargets(tokenizer, rate, whole_words)
    rows, items, owners = [], [], []
    for number, row in enumerate(texts):
        tensors = [{"ids": torch.tensor(tokenizer.encode(text))} for text in row]
        rows.append(processor.process(Example(f"row {number}", {"text": row}), {"text": tensors}))
        items += [each["ids"] for each in tensors]
        owners += [number] * len(row)
    ids = torch.nn.utils.rnn.pad_sequence(items, batch_first=True, padding_value=tokenizer.pad)
    inputs = {"text": Items({"ids": ids.clone()}, torch.tensor(owners))}
    made = processor.collate(rows, inputs, generator)
    return ids, inputs["text"].tensors["ids"], made


def test_of_the_chosen_tokens_training_hides_four_fifths_and_replaces_and_leaves_a_tenth_each():
    ids, corrupted, made = collated([[LONG]] * 40, torch.Generator().manual_seed(0))
    chosen = made["labels"] != IGNORED
    assert chosen.sum(-1).tolist() == [round(0.15 * len(LONG))] * 40
    now = corrupted.gather(1, made["positions"])[chosen]
    was = made["labels"][chosen]
    hidden, same = now == TOKENIZER.mask, now == was
    assert hidden.float().mean() == pytest.approx(0.8, abs=0.02)
    assert same.float().mean() == pytest.approx(0.1, abs=0.02)
    others = now[~hidden & ~same]
    special = torch.tensor([TOKENIZER.pad, TOKENIZER.begin, TOKENIZER.end, TOKENIZER.unknown, TOKENIZER.mask])
    assert len(others.unique()) > 80 and not torch.isin(others, special).any()
    untouched = torch.ones_like(ids, dtype=torch.bool).scatter_(1, made["positions"], False)
    assert torch.equal(ids[untouched], corrupted[untouched])


def test_the_labels_are_what_stood_there_in_rows_of_several_texts():
    texts = [["abcdefghij", "klm"], ["nopq"], ["rs", "tuvwxyz", "abc"]]
    ids, corrupted, made = collated(texts, rate=0.4)
    length, first = ids.shape[1], 0
    for row, wanted, places in zip(texts, made["labels"], made["positions"], strict=True):
        flat = ids[first : first + len(row)].flatten()
        now = corrupted[first : first + len(row)].flatten()
        chosen = wanted != IGNORED
        assert torch.equal(flat[places[chosen]], wanted[chosen]) and (now[places[chosen]] == TOKENIZER.mask).all()
        assert chosen.sum() == round(0.4 * sum(map(len, row)))
        assert (flat != now).sum() == chosen.sum() and places.max() < len(row) * length
        first += len(row)


def test_evaluation_hides_the_same_whatever_stands_beside_a_row():
    alone = collated([["a short text of its own"]])
    beside = collated([["something else"], ["a short text of its own"], ["x"]])
    assert alone[2]["positions"][0].tolist() == beside[2]["positions"][1][: alone[2]["positions"].shape[1]].tolist()
    assert (alone[1] == TOKENIZER.mask).sum() == (alone[2]["labels"] != IGNORED).sum()


def test_each_epoch_hides_others():
    drawn = [collated([[LONG]], torch.Generator().manual_seed(seed))[2]["positions"].tolist() for seed in (0, 1, 0)]
    assert drawn[0] != drawn[1] and drawn[0] == drawn[2]


def test_a_text_of_one_token_has_it_hidden():
    assert collated([["x"]])[2]["labels"].tolist() == [[ord("x")]]


def test_all_pieces_of_a_word_are_hidden_together():
    text = "the quick brown fox"
    for words in ((text,), (text, "jumps over")):
        _, corrupted, made = collated([list(words)], rate=0.5, whole_words=True)
        for row, said in zip(corrupted, words, strict=True):
            hidden = "".join("_" if token == TOKENIZER.mask else chr(token) for token in row[: len(said)].tolist())
            start = 0
            for word in said.split(" "):
                assert hidden[start : start + len(word)] in (word, "_" * len(word))
                start += len(word) + 1
        assert (made["labels"] != IGNORED).sum() <= round(0.5 * sum(map(len, words)))


def test_words_are_chosen_up_to_the_rate_and_at_least_one():
    words = torch.tensor([0, 0, 0, 1, 1, 2, 3, 3, 3, 3])
    for seed in range(20):
        chosen = choose(words, 0.5, torch.Generator().manual_seed(seed))
        taken = words[chosen].unique()
        assert 1 <= len(chosen) <= 5 and torch.equal(chosen, torch.isin(words, taken).nonzero().squeeze(1))
    assert choose(torch.tensor([0, 0, 0]), 0.15, torch.Generator().manual_seed(0)).tolist() == [0, 1, 2]


def test_a_row_without_a_text_is_refused():
    with pytest.raises(DataError, match="The row has no text: there is nothing to hide"):
        MaskingTargets(TOKENIZER, 0.15, False).process(Example("row", {"text": []}), {"text": []})


def make_head(**options):
    torch.manual_seed(0)
    return MaskedLanguageModeling(
        MaskedLanguageModelingOptions(**options), width=8, modalities=("text",), facts={}, tokenizer=TOKENIZER,
        table=TokenTable(TOKENIZER.vocabulary, 8),
    )  # fmt: skip


def test_the_loss_is_that_of_the_hidden_tokens_alone():
    head = make_head()
    _, _, made = collated([["abcdefghijklm"], ["nop"]], rate=0.3)
    values = torch.randn(2, 13, 8, requires_grad=True)
    mask = torch.arange(13) < torch.tensor([[13], [3]])
    loss = head.loss({"text": Features(values, mask)}, Batch(2, {}, made))
    loss.total.backward()
    expected = 0.0
    for row in range(2):
        for place, label in zip(made["positions"][row].tolist(), made["labels"][row].tolist(), strict=True):
            if label != IGNORED:
                logits = head.table.logits(head.transform(values[row, place])) + head.bias
                expected += functional.cross_entropy(logits, torch.tensor(label)).item()
    assert loss.total.item() == pytest.approx(expected, rel=1e-5) and loss.count.item() == 4 + 1
    reached = values.grad.abs().sum(-1) > 0
    wanted = [(row, place) for row in range(2) for place, label in
              zip(made["positions"][row].tolist(), made["labels"][row].tolist(), strict=True) if label != IGNORED]  # fmt: skip
    assert sorted(map(tuple, reached.nonzero().tolist())) == sorted(wanted)


def test_metrics_are_over_the_hidden_tokens_of_all_rows():
    rows = [
        {"prediction": ["a", "b"], "log_likelihood": -2 * math.log(4), "scored_tokens": 2, "correct": 1},
        {"prediction": ["c"], "log_likelihood": -math.log(4), "scored_tokens": 1, "correct": 1},
    ]
    assert make_head().metrics(rows, [None, None]) == {
        "masked_accuracy": pytest.approx(2 / 3), "pseudo_perplexity": pytest.approx(4)}  # fmt: skip


def test_a_prediction_lists_what_was_hidden_and_what_it_is_taken_for():
    head = make_head().eval()
    with torch.no_grad():
        head.bias[ord("z")] = 100.0
    _, _, made = collated([["zzzzzzzzzz"], ["abc"]], rate=0.2)
    first, second = head.predict({"text": Features(torch.randn(2, 10, 8))}, Batch(2, {}, made))
    assert (first["prediction"], first["reference"], first["correct"]) == (["z", "z"], ["z", "z"], 2)
    assert second["prediction"] == ["z"] and second["reference"][0] in "abc" and second["correct"] == 0
    assert first["log_likelihood"] == pytest.approx(0, abs=1e-3) and second["scored_tokens"] == 1
