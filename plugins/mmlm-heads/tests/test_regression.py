"""Numbers for whole rows."""

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
import torch

from mmlm_core.errors import DataError
from mmlm_core.types import QUERIES, Batch, Example, Features
from mmlm_heads.number_metrics import number_metrics
from mmlm_heads.options import Pooling
from mmlm_heads.regression import Regression
from mmlm_heads.regression_options import RegressionOptions


def make_head(facts, **options):
    torch.manual_seed(0)
    return Regression(RegressionOptions(dropout=0.0, **options), width=2, modalities=("text",), facts=facts)


def make_batch(head, targets):
    processor = head.target_processor()
    rows = [processor.process(Example(f"rows.csv:{i}", target=target), {}) for i, target in enumerate(targets)]
    return Batch(len(targets), {}, processor.collate(rows, {}, None))


def with_scores(head, scores):
    with torch.no_grad():
        head.readout.output.weight.copy_(torch.eye(head.readout.output.out_features, 2))
        head.readout.output.bias.zero_()
    return {QUERIES: Features(torch.tensor(scores).unsqueeze(1))}


def test_facts_are_mean_and_deviation_of_each_number():
    assert Regression.facts(RegressionOptions(), [1, "3", None]) == {"means": [2.0], "deviations": [1.0]}
    facts = Regression.facts(RegressionOptions(), [[1, 10], [3.0, "30"]])
    assert facts == {"means": [2.0, 20.0], "deviations": [1.0, 10.0]}


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        (["x", None], "The training targets must be numbers, as many in each row: none is a number."),
        ([1.0, [1.0, 2.0]], "The training targets must be numbers, as many in each row: some have 1 and some 2."),
        ([2.5, 2.5], "The training targets must differ; all 2 rows have 2.5."),
    ],
)
def test_targets_that_teach_nothing_are_refused(targets, told):
    with pytest.raises(DataError) as caught:
        Regression.facts(RegressionOptions(), targets)
    assert str(caught.value) == told


@pytest.mark.parametrize("target", ["", "one", float("nan"), float("inf"), [], [1, None], {"a": 1}, object()])
def test_a_target_that_is_no_number_is_refused(target):
    with pytest.raises(DataError, match="The target must be a number, or a list of numbers, not "):
        make_batch(make_head({"means": [0.0], "deviations": [1.0]}), [target])


def test_another_number_of_numbers_is_refused():
    with pytest.raises(DataError, match="The target has 2 numbers, and those of the training 1"):
        make_batch(make_head({"means": [0.0], "deviations": [1.0]}), [[1, 2]])


def test_the_loss_is_in_units_of_the_deviation_and_predictions_in_those_of_the_targets():
    head = make_head({"means": [10.0, 0.0], "deviations": [2.0, 5.0]}).eval()
    outputs, batch = with_scores(head, [[1.0, 0.0], [0.0, 2.0]]), make_batch(head, [[10.0, 0.0], [14.0, 10.0]])
    loss = head.loss(outputs, batch)
    assert loss.total.item() == pytest.approx((1 + 0) / 2 + (4 + 0) / 2) and loss.count.item() == 2
    assert [row["prediction"] for row in head.predict(outputs, batch)] == [[12.0, 0.0], [10.0, 10.0]]


def test_numbers_that_are_large_beside_their_deviation_keep_their_differences():
    times = [1_700_000_000.0 + second for second in range(10)]
    head = make_head(Regression.facts(RegressionOptions(), times)).eval()
    wanted = (np.array(times) - np.mean(times)) / np.std(times)
    outputs, batch = with_scores(head, [[score, 0.0] for score in wanted.tolist()]), make_batch(head, times)
    assert head.loss(outputs, batch).total.item() == pytest.approx(0, abs=1e-9)
    assert [row["prediction"] for row in head.predict(outputs, batch)] == pytest.approx(times, abs=1e-5, rel=0)


def test_one_number_is_predicted_as_a_number():
    head = make_head({"means": [3.0], "deviations": [2.0]}).eval()
    assert head.predict(with_scores(head, [[0.5, 9.0]]), Batch(1, {}, {})) == [{"prediction": 4.0}]


def test_the_control_says_the_mean_of_the_training():
    assert make_head({"means": [3.0], "deviations": [2.0]}).constant() == 3.0
    assert make_head({"means": [3.0, 4.0], "deviations": [2.0, 2.0]}).constant() == [3.0, 4.0]


def test_statistics_are_no_part_of_the_saved_weights():
    assert set(make_head({"means": [3.0], "deviations": [2.0]}).state_dict()) == {
        "readout.query", "readout.output.weight", "readout.output.bias"}  # fmt: skip


def test_inputs_can_be_pooled():
    head = make_head({"means": [0.0], "deviations": [1.0]}, pooling=Pooling.mean)
    assert head.reads == ("text",) and head.queries(Batch(1, {}, {})) is None


def test_metrics_equal_those_of_scikit_learn_and_scipy():
    generator = np.random.default_rng(0)
    wanted = generator.normal(size=(50, 2)).round(1)  # with ties
    given = wanted + generator.normal(size=(50, 2)).round(1)
    found = number_metrics(given.tolist(), wanted.tolist())
    expected = {
        "mae": sklearn.metrics.mean_absolute_error(wanted, given),
        "rmse": sklearn.metrics.root_mean_squared_error(wanted, given),
        "r2": sklearn.metrics.r2_score(wanted, given),
        "pearson": np.mean([scipy.stats.pearsonr(given[:, k], wanted[:, k])[0] for k in range(2)]),
        "spearman": np.mean([scipy.stats.spearmanr(given[:, k], wanted[:, k])[0] for k in range(2)]),
    }
    assert found == pytest.approx(expected)


def test_what_does_not_vary_has_no_correlation_and_no_warning():
    found = number_metrics([[2.0], [2.0]], [[1.0], [3.0]])
    assert found == {"mae": 1.0, "rmse": 1.0, "r2": 0.0, "pearson": 0.0, "spearman": 0.0}
    assert number_metrics([[2.0]], [[1.0]]) == {"mae": 1.0, "rmse": 1.0}


def test_no_rows_have_no_metrics():
    assert make_head({"means": [0.0], "deviations": [1.0]}).metrics([], []) == {}
