import math
import pickle

import numpy as np
import pytest
import sklearn.metrics
import torch
from sklearn.utils.class_weight import compute_class_weight

from mmlm_core.errors import DataError
from mmlm_core.types import QUERIES, Batch, Example, Features
from mmlm_heads.classification import Classification
from mmlm_heads.options import ClassificationOptions, ClassWeights, Pooling
from mmlm_heads.pooling import pool

FACTS = {"labels": ["bird", "cat", "dog"], "counts": [6, 3, 1], "rows": 10}


def make_head(**options):
    torch.manual_seed(0)
    return Classification(ClassificationOptions(**options), width=4, modalities=("image", "text"), facts=FACTS)


def make_batch(head, targets):
    processor = head.target_processor()
    rows = [processor.process(Example(f"rows.csv:{i}", target=target), {}) for i, target in enumerate(targets)]
    return Batch(len(targets), {}, processor.collate(rows, {}, None))


def with_logits(head, logits):
    """Make the head's output layer show the first three numbers of what it reads."""
    with torch.no_grad():
        head.readout.output.weight.copy_(torch.eye(3, 4))
        head.readout.output.bias.zero_()
    return {QUERIES: Features(torch.tensor([[[*row, 0.0]] for row in logits]))}


# facts


def test_facts_are_the_distinct_labels_in_order_with_their_rows():
    facts = Classification.facts(ClassificationOptions(), iter(["dog", "cat", "dog", None]))
    assert facts == {"labels": ["cat", "dog"], "counts": [1, 2], "rows": 3}


@pytest.mark.parametrize("targets", [[10, 9, 2, 10], ["10", "9", "2", "10"]])
def test_whole_numbers_sort_by_number(targets):
    assert Classification.facts(ClassificationOptions(), targets)["labels"] == ["2", "9", "10"]


def test_truth_values_and_mixed_labels_are_kept_as_text():
    assert Classification.facts(ClassificationOptions(), [True, False])["labels"] == ["False", "True"]
    assert Classification.facts(ClassificationOptions(), [10, 9, "x"])["labels"] == ["10", "9", "x"]


def test_a_single_class_is_refused():
    with pytest.raises(DataError) as caught:
        Classification.facts(ClassificationOptions(), ["cat", "cat"])
    assert str(caught.value) == (
        "The training targets must have at least two different labels; they have only `cat`, in 2 rows."
    )


def test_a_label_of_one_row_cannot_be_balanced():
    targets = ["cat"] * 9 + ["dog"]
    assert Classification.facts(ClassificationOptions(), targets)["counts"] == [9, 1]
    with pytest.raises(DataError) as caught:
        Classification.facts(ClassificationOptions(class_weights=ClassWeights.balanced), targets)
    assert str(caught.value) == (
        "`head.class_weights=balanced` would count the only training row of `dog` 5 times: give such labels more rows, "
        "leave them out, or say weights by `head.label_weights`."
    )


def test_a_weight_for_a_label_that_there_is_not_is_refused():
    with pytest.raises(DataError) as caught:
        Classification.facts(ClassificationOptions(label_weights={"dgo": 2.0}), ["cat", "dog"])
    assert str(caught.value) == (
        "`head.label_weights` has a weight for `dgo`, which is no label of the training data. Did you mean `dog`?"
    )


def test_targets_without_any_label_are_refused():
    with pytest.raises(DataError, match="they have no label at all"):
        Classification.facts(ClassificationOptions(), [None, "", 0.5])


# targets


def test_labels_become_their_numbers():
    assert make_batch(make_head(), ["dog", "bird"]).targets["label"].tolist() == [2, 0]


def test_an_unseen_label_is_named_with_the_nearest_and_the_valid_ones():
    with pytest.raises(DataError) as caught:
        make_batch(make_head(), ["dgo"])
    assert str(caught.value) == (
        "The label `dgo` is not in the training data. Did you mean `dog`? Labels: `bird`, `cat`, `dog`."
    )


def test_a_whole_number_that_is_stored_as_a_float_is_the_label_that_it_is_without():
    facts = Classification.facts(ClassificationOptions(), [2.0, 10.0, 2, None])
    assert facts == {"labels": ["2", "10"], "counts": [2, 1], "rows": 3}
    head = Classification(ClassificationOptions(), width=4, modalities=("text",), facts=facts)
    assert make_batch(head, [10.0, 2.0]).targets["label"].tolist() == [1, 0]


@pytest.mark.parametrize("target", ["", "  ", 0.5, float("nan"), float("inf"), ["cat"]])
def test_a_target_that_is_no_label_is_refused(target):
    with pytest.raises(DataError, match="must be a label"):
        make_batch(make_head(), [target])


def test_a_list_in_a_single_label_task_is_told_of_the_other():
    with pytest.raises(DataError, match=r"Several labels a row: `head.multi_label=true`\.$"):
        make_batch(make_head(), [["cat"]])


def test_prediction_needs_no_targets_and_mixed_batches_are_refused():
    assert make_batch(make_head(), [None, None]).targets == {}
    with pytest.raises(DataError, match="1 of the 2 rows of a batch have no target"):
        make_batch(make_head(), [None, "cat"])


def test_the_processor_pickles():
    processor = pickle.loads(pickle.dumps(make_head().target_processor()))
    assert processor.process(Example("k", target="cat"), {})["label"].item() == 1


# reading


def test_query_pooling_adds_one_learned_position_a_row():
    head = make_head()
    queries = head.queries(Batch(3, {}, {}))
    assert head.reads == (QUERIES,) and not head.causal
    assert queries.values.shape == (3, 1, 4) and queries.mask is None
    assert torch.equal(queries.values[0], queries.values[2])


def test_other_pooling_reads_the_inputs_and_adds_nothing():
    head = make_head(pooling=Pooling.mean)
    assert head.reads == ("image", "text")
    assert head.queries(Batch(3, {}, {})) is None
    assert not hasattr(head.readout, "query")


PARTS = [
    Features(torch.tensor([[[1.0, -1.0], [3.0, -5.0]], [[7.0, 7.0], [9.0, 9.0]], [[7.0, 7.0], [8.0, 8.0]]]),
             torch.tensor([[True, True], [True, False], [False, False]])),
    Features(torch.tensor([[[5.0, 0.0]], [[100.0, 100.0]], [[50.0, 50.0]]]), torch.tensor([[True], [False], [False]])),
]  # fmt: skip


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        (Pooling.mean, [[3, -2], [7, 7], [0, 0]]),
        (Pooling.max, [[5, 0], [7, 7], [0, 0]]),
        (Pooling.last, [[5, 0], [7, 7], [0, 0]]),
    ],
)
def test_pooling_sees_valid_positions_of_all_parts_alone_and_a_row_without_any_is_zero(pooling, expected):
    assert pool(PARTS, pooling).tolist() == expected


@pytest.mark.parametrize("pooling", [Pooling.mean, Pooling.max, Pooling.last])
def test_pooling_without_masks_equals_pooling_with_masks_that_hide_nothing(pooling):
    values = torch.randn(2, 3, 4)
    masked = Features(values, torch.ones(2, 3, dtype=torch.bool))
    assert torch.allclose(pool([Features(values), Features(values + 1)], pooling),
                          pool([masked, Features(values + 1)], pooling))  # fmt: skip


@pytest.mark.parametrize("pooling", [Pooling.mean, Pooling.max, Pooling.last])
def test_invalid_positions_never_reach_the_loss(pooling):
    head = make_head(pooling=pooling)
    values = torch.randn(2, 3, 4, requires_grad=True)
    mask = torch.tensor([[True, True, False], [False, False, False]])
    outputs = {"image": Features(values, mask), "text": Features(torch.zeros(2, 0, 4))}
    head.loss(outputs, make_batch(head, ["cat", "dog"])).total.backward()
    assert values.grad[~mask].abs().max() == 0
    assert values.grad[0, :2].abs().sum() > 0
    assert all(parameter.grad.isfinite().all() for parameter in head.parameters())


@pytest.mark.parametrize("pooling", list(Pooling))
def test_gradients_reach_every_parameter(pooling):
    head = make_head(pooling=pooling)
    batch = make_batch(head, ["cat", "dog"])
    queries = head.queries(batch)
    inputs = {name: Features(torch.randn(2, 3, 4)) for name in ("image", "text")}
    head.loss(inputs | ({} if queries is None else {QUERIES: queries}), batch).total.backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in head.parameters())


# loss

LOGITS = [[2.0, 0.0, 1.0], [0.0, 1.0, 0.5], [1.0, 1.0, 3.0]]
TARGETS = ["bird", "dog", "dog"]


def naive(logits, label, smoothing=0.0):
    total = sum(math.exp(x) for x in logits)
    shares = [(1 - smoothing) * (k == label) + smoothing / len(logits) for k in range(len(logits))]
    return -sum(share * math.log(math.exp(x) / total) for share, x in zip(shares, logits, strict=True))


def test_the_loss_equals_a_naive_loop_and_counts_rows_and_correct_ones():
    head = make_head(dropout=0.0)
    loss = head.loss(with_logits(head, LOGITS), make_batch(head, TARGETS))
    assert loss.total.item() == pytest.approx(sum(naive(x, y) for x, y in zip(LOGITS, [0, 2, 2], strict=True)))
    assert loss.count.item() == 3 and loss.figures["correct"].item() == 2


def test_label_smoothing_and_class_weights_act_in_training_alone():
    head = make_head(dropout=0.0, label_smoothing=0.3, class_weights=ClassWeights.balanced)
    batch, outputs = make_batch(head, TARGETS), with_logits(head, LOGITS)
    weights = compute_class_weight("balanced", classes=np.arange(3), y=[0] * 6 + [1] * 3 + [2])
    expected = sum(weights[y] * naive(x, y, 0.3) for x, y in zip(LOGITS, [0, 2, 2], strict=True))
    assert head.loss(outputs, batch).total.item() == pytest.approx(expected, rel=1e-5)
    plain = sum(naive(x, y) for x, y in zip(LOGITS, [0, 2, 2], strict=True))
    assert head.eval().loss(outputs, batch).total.item() == pytest.approx(plain, rel=1e-5)


def test_given_weights_count_a_label_so_often_and_the_others_once():
    head = make_head(dropout=0.0, label_weights={"dog": 3.0})
    expected = sum(w * naive(x, y) for w, x, y in zip([1, 3, 3], LOGITS, [0, 2, 2], strict=True))
    loss = head.loss(with_logits(head, LOGITS), make_batch(head, TARGETS))
    assert loss.total.item() == pytest.approx(expected, rel=1e-5) and loss.count.item() == 3


def test_class_weights_are_no_part_of_the_saved_weights():
    assert set(make_head(class_weights=ClassWeights.balanced).state_dict()) == set(make_head().state_dict())


# predictions and metrics


def test_a_prediction_is_the_likeliest_label_with_probabilities():
    head = make_head().eval()
    (first, *_) = head.predict(with_logits(head, LOGITS), Batch(3, {}, {}))
    total = math.exp(2) + 1 + math.exp(1)
    assert first["prediction"] == "bird" and first["probability"] == pytest.approx(math.exp(2) / total)
    assert list(first["probabilities"]) == ["bird", "dog", "cat"]
    assert sum(first["probabilities"].values()) == pytest.approx(1)


def test_at_most_five_labels_are_listed():
    facts = {"labels": [str(i) for i in range(8)], "counts": [1] * 8, "rows": 8}
    head = Classification(ClassificationOptions(), width=4, modalities=("text",), facts=facts).eval()
    (row,) = head.predict({QUERIES: Features(torch.zeros(1, 1, 4))}, Batch(1, {}, {}))
    assert len(row["probabilities"]) == 5


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["cat", "dog", "dog", "bird", "cat"], ["cat", "dog", "cat", "dog", "cat"]),
        (["1", "2", "1"], [1, 2, 2]),
        (["cat", "cat"], ["cat", "cat"]),
        (["cat", "cat"], ["dog", "bird"]),
    ],
)
def test_metrics_equal_those_of_scikit_learn(given, wanted):
    metrics = make_head().metrics([{"prediction": label} for label in given], wanted)
    expected = [str(label) for label in wanted]
    assert metrics["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(expected, given))
    f1 = sklearn.metrics.f1_score(expected, given, average="macro", zero_division=0)
    assert metrics["macro_f1"] == pytest.approx(f1)


def test_no_rows_have_no_metrics():
    assert make_head().metrics([], []) == {}


def test_the_monitored_figure_is_among_the_metrics():
    name, better = make_head().monitor
    assert better == "max" and name in make_head().metrics([{"prediction": "cat"}], ["cat"])
