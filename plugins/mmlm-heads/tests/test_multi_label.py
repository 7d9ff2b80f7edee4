"""A classification with any number of labels a row."""

import math
import warnings

import numpy as np
import pytest
import sklearn.metrics
import torch

from mmlm_core.errors import DataError, OptionError
from mmlm_core.types import QUERIES, Batch, Example, Features
from mmlm_heads.classification import Classification
from mmlm_heads.options import ClassificationOptions, ClassWeights

LABELS = ["bird", "cat", "dog"]
FACTS = {"labels": LABELS, "counts": [6, 3, 1], "rows": 10}
LOGITS = [[2.0, -1.0, 1.0], [-1.0, 1.0, -0.5], [1.0, -2.0, -3.0]]
TARGETS = [["bird", "dog"], [], ["bird"]]


def make_head(**options):
    torch.manual_seed(0)
    made = ClassificationOptions(multi_label=True, **options)
    return Classification(made, width=3, modalities=("text",), facts=FACTS)


def make_batch(head, targets):
    processor = head.target_processor()
    rows = [processor.process(Example(f"rows.csv:{i}", target=target), {}) for i, target in enumerate(targets)]
    return Batch(len(targets), {}, processor.collate(rows, {}, None))


def with_logits(head):
    with torch.no_grad():
        head.readout.output.weight.copy_(torch.eye(3))
        head.readout.output.bias.zero_()
    return {QUERIES: Features(torch.tensor(LOGITS).unsqueeze(1))}


def naive(logit, wanted, weight=1.0):
    p = 1 / (1 + math.exp(-logit))
    return -(weight * wanted * math.log(p) + (1 - wanted) * math.log(1 - p))


def truth():
    return [[float(label in names) for label in LABELS] for names in TARGETS]


def test_facts_count_the_rows_that_have_each_label_and_rows_without_any():
    facts = Classification.facts(ClassificationOptions(multi_label=True), [["dog", "cat"], [], "dog", ["dog", "dog"]])
    assert facts == {"labels": ["cat", "dog"], "counts": [1, 3], "rows": 4}


def test_a_separator_divides_the_labels_of_a_text():
    options = ClassificationOptions(multi_label=True, separator=";")
    assert Classification.facts(options, ["dog; cat", " ", "cat"])["labels"] == ["cat", "dog"]
    head = make_head(separator=";")
    assert make_batch(head, ["dog; bird", "", "cat"]).targets["labels"].tolist() == [
        [True, False, True], [False] * 3, [False, True, False]]  # fmt: skip


def test_targets_without_any_label_are_refused():
    with pytest.raises(DataError, match="must have labels; no row has one"):
        Classification.facts(ClassificationOptions(multi_label=True), [[], []])


@pytest.mark.parametrize("target", [["cat", ""], ["cat", None], 0.5, [["cat"]], "cat; ; dog"])
def test_an_empty_label_and_what_is_none_are_refused(target):
    with pytest.raises(DataError, match="must be a list of labels"):
        make_batch(make_head(separator=";"), [target])


def test_an_unseen_label_is_named_with_the_nearest():
    with pytest.raises(DataError, match=r"The label `dgo` is not in the training data\. Did you mean `dog`\?"):
        make_batch(make_head(), [["cat", "dgo"]])


def test_the_loss_is_the_mean_over_the_labels_summed_over_the_rows():
    head = make_head(dropout=0.0)
    loss = head.loss(with_logits(head), make_batch(head, TARGETS))
    expected = sum(naive(x, y) / 3 for row in zip(LOGITS, truth(), strict=True) for x, y in zip(*row, strict=True))
    assert loss.total.item() == pytest.approx(expected) and loss.count.item() == 3
    assert loss.figures["correct"].item() == 2, "the second row is said to be a cat"


def test_balanced_weights_make_the_rows_with_a_label_count_as_much_as_those_without():
    head = make_head(dropout=0.0, class_weights=ClassWeights.balanced)
    weights = [4 / 6, 7 / 3, 9]
    expected = sum(naive(x, y, w) / 3 for row in zip(LOGITS, truth(), strict=True)
                   for x, y, w in zip(*row, weights, strict=True))  # fmt: skip
    outputs, batch = with_logits(head), make_batch(head, TARGETS)
    assert head.loss(outputs, batch).total.item() == pytest.approx(expected, rel=1e-5)
    plain = sum(naive(x, y) / 3 for row in zip(LOGITS, truth(), strict=True) for x, y in zip(*row, strict=True))
    assert head.eval().loss(outputs, batch).total.item() == pytest.approx(plain, rel=1e-5)


def test_a_label_that_every_row_has_is_learnt_where_weights_are_balanced():
    options = ClassificationOptions(multi_label=True, class_weights=ClassWeights.balanced)
    facts = Classification.facts(options, [["cat", "dog"], ["cat"], ["cat", "dog"]])
    head = Classification(options, width=2, modalities=("text",), facts=facts)
    assert head.labelling.weights.tolist() == [1.0, 0.5], "there is no row without a cat to make up for"


def test_a_prediction_is_the_labels_from_the_threshold_on():
    head = make_head().eval()
    predictions = head.predict(with_logits(head), Batch(3, {}, {}))
    assert [each["prediction"] for each in predictions] == [["bird", "dog"], ["cat"], ["bird"]]
    assert predictions[0]["probabilities"]["cat"] == pytest.approx(1 / (1 + math.e))
    strict = make_head(threshold=0.8).eval()
    assert [each["prediction"] for each in strict.predict(with_logits(strict), Batch(3, {}, {}))] == [["bird"], [], []]


def test_metrics_equal_those_of_scikit_learn():
    generator = np.random.default_rng(0)
    scores = generator.random((40, 3)).round(1)  # with ties
    wanted = generator.random((40, 3)) < 0.4
    head = make_head()
    predictions = [
        {"prediction": [n for n, s in zip(LABELS, row, strict=True) if s >= 0.5],
         "probabilities": dict(zip(LABELS, row.tolist(), strict=True))} for row in scores
    ]  # fmt: skip
    references = [[n for n, there in zip(LABELS, row, strict=True) if there] for row in wanted]
    found = head.metrics(predictions, references)
    given = scores >= 0.5
    assert found["micro_f1"] == pytest.approx(sklearn.metrics.f1_score(wanted, given, average="micro"))
    assert found["macro_f1"] == pytest.approx(sklearn.metrics.f1_score(wanted, given, average="macro"))
    assert found["mean_average_precision"] == pytest.approx(sklearn.metrics.average_precision_score(wanted, scores))
    assert found["exact_match"] == pytest.approx(sklearn.metrics.accuracy_score(wanted, given))


def test_a_label_that_no_row_has_is_left_out_of_average_precision_without_a_warning():
    predictions = [{"prediction": ["cat"], "probabilities": {"bird": 0.1, "cat": 0.9, "dog": 0.2}}]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = make_head().metrics(predictions, [["cat"]])
        nothing = make_head().metrics(predictions, [[]])
    assert found == {"mean_average_precision": 1.0, "micro_f1": 1.0, "macro_f1": 1.0, "exact_match": 1.0}
    assert nothing == {"micro_f1": 0.0, "macro_f1": 0.0, "exact_match": 0.0}


def test_the_same_answer_for_all_rows_is_measured_too():
    found = make_head().metrics([{"prediction": "cat"}] * 2, [["cat"], ["dog"]])
    assert found == {"micro_f1": 0.5, "macro_f1": pytest.approx(1 / 3), "exact_match": 0.5}


def test_it_is_chosen_by_average_precision():
    assert make_head().monitor == ("mean_average_precision", "max")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"separator": ";"}, "`separator` must be left out where `multi_label` is false: a row has one label."),
        ({"label_weights": {"a": -1.0}}, "`label_weights.a` must be a number from 0 on, not -1.0."),
        (
            {"label_weights": {"a": 2.0}, "class_weights": ClassWeights.balanced},
            "`label_weights` must be left out where `class_weights` is `balanced`.",
        ),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(OptionError) as caught:
        ClassificationOptions(**options)
    assert str(caught.value) == message
