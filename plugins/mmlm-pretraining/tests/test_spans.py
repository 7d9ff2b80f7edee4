"""Spans of a text, replaced by sentinels: T5's objective."""

import statistics

import pytest
import torch

from mmlm_core.errors import DataError
from mmlm_core.targets import IGNORED
from mmlm_core.testing.contracts.materials import Characters
from mmlm_core.tokens import TokenTable
from mmlm_core.types import Batch, Example, Items
from mmlm_core.vocabulary import extended
from mmlm_pretraining.options import SpanCorruptionOptions
from mmlm_pretraining.sentinels import sentinels, spans_of
from mmlm_pretraining.span_corruption import SpanCorruption
from mmlm_pretraining.spans import draw_spans

TOKENIZER = extended(Characters(), sentinels(9))
SENTINELS = [TOKENIZER.special(name) for name in sentinels(9)]
TEXTS = ["the quick brown fox jumps over the lazy dog", "ab", "x"]


def make_head(**options):
    torch.manual_seed(0)
    return SpanCorruption(
        SpanCorruptionOptions(**{"sentinels": 9, **options}), width=8, modalities=("text",), facts={},
        tokenizer=TOKENIZER, table=TokenTable(TOKENIZER.vocabulary, 8),
    )  # fmt: skip


def collated(texts, generator=None, **options):
    processor = make_head(**options).target_processor()
    items = [{"ids": torch.tensor(TOKENIZER.encode(text))} for text in texts]
    rows = [
        processor.process(Example("row", {"text": [text]}), {"text": [item]})
        for text, item in zip(texts, items, strict=True)
    ]
    ids = torch.nn.utils.rnn.pad_sequence([item["ids"] for item in items], batch_first=True)
    inputs = {"text": Items({"ids": ids})}
    return processor.collate(rows, inputs, generator), inputs["text"].tensors


def test_the_spans_in_the_place_of_their_sentinels_are_the_text_again():
    for seed in (None, 0, 1):
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        made, read = collated(TEXTS, generator)
        for row, text in enumerate(TEXTS):
            written = [token for token in made["labels"][row].tolist() if token != IGNORED]
            assert written[-1] == TOKENIZER.end and made["lengths"][row] == len(written)
            assert made["ids"][row, : len(written)].tolist() == [TOKENIZER.begin, *written[:-1]]
            spans, name = {}, None
            for token in written[:-1]:
                if token in SENTINELS:
                    name = token
                    spans[name] = []
                else:
                    spans[name].append(token)
            length = int(read["mask"][row].sum())
            whole = [part for token in read["ids"][row, :length].tolist() for part in spans.get(token, [token])]
            assert TOKENIZER.decode(whole) == text
            assert list(spans) == SENTINELS[: len(spans)] and all(spans.values())


@pytest.mark.parametrize(("rate", "mean_span"), [(0.15, 3.0), (0.5, 5.0), (0.15, 1.0)])
def test_the_rate_and_the_mean_span_are_those_that_were_asked_for(rate, mean_span):
    drawn = [draw_spans(200, rate, mean_span, 100, torch.Generator().manual_seed(seed)) for seed in range(50)]
    for spans in drawn:
        sizes = [end - begin for begin, end in spans]
        assert sum(sizes) == round(200 * rate) and len(sizes) == round(200 * rate / mean_span)
        apart = [begin - end for (_, end), (begin, _) in zip([(0, 0), *spans[:-1]], spans, strict=True)]
        assert min(sizes) >= 1 and min(apart) >= 1 and spans[-1][1] == 200, "kept and hidden in turns, as T5 has them"
    if mean_span > 1:
        assert statistics.pstdev(end - begin for spans in drawn for begin, end in spans) > 1, "their lengths vary"


def test_a_text_never_needs_more_sentinels_than_there_are():
    assert len(draw_spans(400, 0.5, 1.0, 4, torch.Generator().manual_seed(0))) == 4


def test_short_texts_have_a_span_too():
    for length, expected in ((1, [(0, 1)]), (2, [(1, 2)])):
        assert draw_spans(length, 0.15, 3.0, 9, torch.Generator()) == expected


def test_a_row_without_a_text_or_with_two_is_refused():
    processor = make_head().target_processor()
    with pytest.raises(DataError, match="The row has no text: there is nothing to hide"):
        processor.process(Example("row"), {})
    with pytest.raises(DataError, match="The row has 2 texts: `span_corruption` reads one"):
        processor.process(Example("row"), {"text": [{"ids": torch.tensor([1])}] * 2})


def test_a_decoded_text_has_the_sentinels_by_their_names():
    ids = [SENTINELS[0], *map(ord, " fox"), SENTINELS[1], *map(ord, "dog"), TOKENIZER.end]
    text = make_head().decode(ids)
    assert text == "<extra_id_0> fox <extra_id_1> dog"
    assert spans_of(text) == {"<extra_id_0>": "fox", "<extra_id_1>": "dog"}
    assert spans_of("before <extra_id_1> a <extra_id_1> b") == {"<extra_id_1>": "a"} and spans_of("none") == {}


def test_what_was_hidden_is_scored_and_said():
    head = make_head().eval()
    made, _ = collated(TEXTS)
    queries = head.queries(Batch(3, {}, made))
    rows = head.predict({"queries": queries}, Batch(3, {}, made))
    assert rows[2]["reference"] == "<extra_id_0> x" and rows[2]["scored_tokens"] == 3
    loss = head.loss({"queries": queries}, Batch(3, {}, made))
    assert loss.total.item() == pytest.approx(-sum(row["log_likelihood"] for row in rows), rel=1e-4)
    assert loss.count.item() == sum(row["scored_tokens"] for row in rows)


def test_a_span_counts_where_it_is_written_exactly():
    rows = [
        {"prediction": "<extra_id_0> a b <extra_id_1> c", "reference": "<extra_id_0> a b <extra_id_1> d",
         "log_likelihood": 0.0, "scored_tokens": 6},
        {"prediction": "", "reference": "<extra_id_0> x", "log_likelihood": 0.0, "scored_tokens": 3},
    ]  # fmt: skip
    assert make_head().metrics(rows, [None] * 2) == {"span_accuracy": pytest.approx(1 / 3), "perplexity": 1.0}
    assert make_head().metrics([{**rows[0], "prediction": None}], [None]) == {"perplexity": 1.0}
