import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, jaccard_score
from torchmetrics.functional.classification import multiclass_jaccard_index

from mmlm_segmentation.metrics import confusion, measured

NAMES = ["ground", "cat", "dog"]


def masks(seed, shape=(9, 7), classes=3):
    random = np.random.default_rng(seed)
    wanted = random.integers(0, classes, shape).astype(np.int32)
    predicted = np.where(random.random(shape) < 0.6, wanted, random.integers(0, classes, shape)).astype(np.int32)
    wanted[random.random(shape) < 0.1] = -100
    return predicted, wanted


def whole(pairs):
    predicted, wanted = (np.concatenate([pair[side].ravel() for pair in pairs]) for side in (0, 1))
    return predicted[wanted >= 0], wanted[wanted >= 0]


def test_the_metrics_are_those_of_torchmetrics_and_scikit_learn():
    pairs = [masks(seed) for seed in range(4)]
    told = measured([confusion(*pair, 3) for pair in pairs], NAMES)
    predicted, wanted = whole(pairs)
    theirs = multiclass_jaccard_index(torch.tensor(predicted), torch.tensor(wanted), 3, average="none")
    assert [told[f"iou_{name}"] for name in NAMES] == pytest.approx(theirs.tolist())
    assert told["mean_iou"] == pytest.approx(jaccard_score(wanted, predicted, average="macro"))
    assert told["pixel_accuracy"] == pytest.approx(accuracy_score(wanted, predicted))
    assert list(told)[:2] == ["mean_iou", "pixel_accuracy"] and "found_at_50" not in told


def test_a_class_that_no_pixel_has_or_got_has_no_part_in_the_mean():
    table = confusion(np.array([[0, 1]], np.int32), np.array([[0, 0]], np.int32), 3)
    assert measured([table], NAMES) == {"mean_iou": 0.25, "pixel_accuracy": 0.5, "iou_ground": 0.5, "iou_cat": 0.0}


def test_of_two_classes_each_rows_own_overlap_is_told():
    wanted = np.array([[0, 1, 1, 1]], np.int32)
    rows = [(wanted, wanted), (np.array([[0, 0, 0, 1]], np.int32), wanted)]
    told = measured([confusion(*row, 2) for row in rows], NAMES[:2])
    assert told["mean_row_iou"] == pytest.approx((1 + 1 / 3) / 2) and told["found_at_50"] == 0.5
    assert told["iou_cat"] == pytest.approx(4 / 6)


def test_masks_of_which_no_pixel_is_scored_have_no_metrics():
    nothing = np.full((2, 2), -100, np.int32)
    assert measured([confusion(nothing, nothing, 3)], NAMES) == {}
