import numpy as np
import pytest
import torch

from mmlm_core.errors import DataError
from mmlm_core.geometry import EXTENT, FRAME, MOTION, PLACEMENT, boxed
from mmlm_core.targets import IGNORED
from mmlm_core.types import Example, Items
from mmlm_segmentation.classes import Classes, count_classes
from mmlm_segmentation.mask_targets import MaskTargets
from mmlm_segmentation.options import SegmentationOptions

CLASSES = Classes({"classes": ["ground", "cat"], "numbers": [0, 3]}, 255)
PROCESSOR = MaskTargets(CLASSES, "image")
MASK = np.array([[0, 3, 3, 255]] * 2)


def picture(height=2, width=4, frame=(2, 4), box=(0, 0, 2, 4)):
    return {"pixels": torch.zeros(3, *frame), PLACEMENT: boxed(frame, box), EXTENT: torch.tensor([height, width]),
            FRAME: torch.tensor(frame)}  # fmt: skip


def process(target, *pictures):
    return PROCESSOR.process(Example("row", {}, target), {"image": list(pictures)})


def test_numbers_become_places_and_what_is_not_scored_is_ignored():
    assert process(MASK, picture())["mask"].tolist() == [[0, 1, 1, IGNORED]] * 2


def test_what_stands_beside_a_fitted_picture_is_not_scored():
    placed = process(MASK, picture(frame=(4, 4), box=(1, 0, 2, 4)))["mask"]
    assert placed.tolist() == [[IGNORED] * 4, [0, 1, 1, IGNORED], [0, 1, 1, IGNORED], [IGNORED] * 4]


def test_a_mask_moves_as_its_picture_does():
    rows = [process(MASK, picture())] * 2
    mirrored = torch.tensor([[[1.0, 0, 0], [0, 1, 0]], [[-1, 0, 0], [0, 1, 0]]])
    inputs = {"image": Items({MOTION: mirrored})}
    moved = PROCESSOR.collate(rows, inputs, torch.Generator())["mask"]
    assert moved.tolist() == [[[0, 1, 1, IGNORED]] * 2, [[IGNORED, 1, 1, 0]] * 2]
    assert PROCESSOR.collate(rows, {"image": Items({})}, None)["mask"].tolist() == [[[0, 1, 1, IGNORED]] * 2] * 2


def test_without_a_target_nothing_is_made():
    assert process(None, picture()) == {} and PROCESSOR.collate([{}], {"image": Items({})}, None) == {}


@pytest.mark.parametrize(
    ("target", "pictures", "told"),
    [
        (MASK, [picture(height=3)], "The mask has 4 x 2 pixels, and its `image` 4 x 3: every pixel must have its class."),
        (MASK, [], "The row must have one `image`, whose pixels have classes; it has 0."),
        (MASK, [picture()] * 2, "The row must have one `image`, whose pixels have classes; it has 2."),
        (MASK + 1, [picture()], "The mask has the number 1, which is no class. Classes: 0 ground, 3 cat; 255 is not "
         "scored."),
        (MASK, [{"pixels": torch.zeros(3, 2, 4)}], "A mask cannot follow its `image`: the encoder's processor does not "
         "say where its pixels come from (`mmlm_core.geometry`). Choose another encoder."),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_scored_is_refused(target, pictures, told):
    with pytest.raises(DataError) as refused:
        process(target, *pictures)
    assert str(refused.value) == told


def test_the_classes_are_the_numbers_of_the_training_masks():
    told = count_classes(SegmentationOptions(), [MASK, np.array([[9, 0]]), b"broken"])
    assert told == {"numbers": [0, 3, 9], "classes": ["0", "3", "9"], "counts": [3, 4, 1]}


def test_classes_that_are_given_are_numbered_from_0():
    told = count_classes(SegmentationOptions(classes=["ground", "cat"]), [np.array([[0, 1], [1, 255]])])
    assert told == {"numbers": [0, 1], "classes": ["ground", "cat"], "counts": [1, 2]}


def test_masks_of_0_and_255_need_a_word():
    black_and_white = np.array([[0, 255]])
    with pytest.raises(DataError) as refused:
        count_classes(SegmentationOptions(), [black_and_white])
    assert str(refused.value) == (
        "The training masks must have at least two classes; they have only the number 0. Pixels of 255 are not scored; "
        "`head.ignore=null` makes that a class."
    )
    assert count_classes(SegmentationOptions(ignore=None), [black_and_white])["numbers"] == [0, 255]


def test_a_number_that_is_not_scored_is_no_class_even_where_it_has_a_name():
    options = SegmentationOptions(classes=["void", "ground", "cat"], ignore=0)
    mask = np.array([[0, 1], [2, 1]], np.int32)
    told = count_classes(options, [mask])
    assert told == {"numbers": [1, 2], "classes": ["ground", "cat"], "counts": [2, 1]}
    assert Classes(told, options.ignore).places(mask).tolist() == [[IGNORED, 0], [1, 0]]
