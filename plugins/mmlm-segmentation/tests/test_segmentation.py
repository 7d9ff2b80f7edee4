import numpy as np
import pytest
import torch

from mmlm_core.errors import CompositionError, OptionError
from mmlm_core.geometry import EXTENT, FRAME, PLACEMENT, boxed
from mmlm_core.types import Batch, Features, Items
from mmlm_segmentation.decoders import make_decoder
from mmlm_segmentation.masks import load_mask, mask_url
from mmlm_segmentation.options import Decoder, SegmentationOptions
from mmlm_segmentation.segmentation import Segmentation

FACTS = {"classes": ["ground", "cat", "dog"], "numbers": [0, 4, 9], "counts": [5, 9, 1]}


def head(**options):
    """A head whose scores are the features themselves, of width 3."""
    made = Segmentation(SegmentationOptions(**options), width=3, modalities=("image",), facts=FACTS).eval()
    if made.decoder.__class__.__name__ == "Conv2d":
        with torch.no_grad():
            made.decoder.weight.copy_(torch.eye(3).view(3, 3, 1, 1))
            made.decoder.bias.zero_()
    return made


def scores(places):
    """Features that say these classes. Shape: [h, w] -> values [1, h * w, 3]."""
    places = torch.tensor(places)
    values = 10.0 * torch.nn.functional.one_hot(places.flatten(), 3).float()
    return {"image": Features(values[None], grid=tuple(places.shape))}


def batch(frame, extent, box, mask=None):
    tensors = {"pixels": torch.zeros(1, 3, *frame), PLACEMENT: boxed(frame, box)[None], EXTENT: torch.tensor([extent]),
               FRAME: torch.tensor([frame])}  # fmt: skip
    return Batch(1, {"image": Items(tensors)}, {} if mask is None else {"mask": torch.tensor([mask])})


def test_a_predicted_mask_has_the_classes_numbers():
    told = head().predict(scores([[0, 1], [2, 2]]), batch((2, 2), [2, 2], (0, 0, 2, 2)))[0]
    assert load_mask(told["prediction"]).tolist() == [[0, 4], [9, 9]]
    assert told["areas"] == {"ground": 0.25, "cat": 0.25, "dog": 0.5}


def test_a_predicted_mask_has_the_size_of_its_picture_and_nothing_of_what_stood_beside_it():
    # a picture of 2 x 4 pixels, fitted into a frame of 8 x 8: the grid's outer rows are the white beside it
    places = [[2, 2, 2, 2], [0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 2, 2]]
    told = head().predict(scores(places), batch((8, 8), [2, 4], (2, 0, 4, 8)))[0]
    assert load_mask(told["prediction"]).tolist() == [[0, 0, 4, 4]] * 2


def test_a_mask_stands_where_its_picture_does_in_bf16_too():
    stripes = [[0, 1] * 300]
    with torch.autocast("cpu", torch.bfloat16):
        told = head().predict(scores(stripes), batch((1, 600), [1, 600], (0, 0, 1, 600)))[0]
    assert load_mask(told["prediction"]).tolist() == [[0, 4] * 300]


def test_a_large_picture_is_predicted_in_bands(monkeypatch):
    given = scores([[0, 1], [2, 2]]), batch((4, 4), [40, 60], (0, 0, 4, 4))
    expected = head().predict(*given)
    monkeypatch.setattr("mmlm_segmentation.segmentation.AT_ONCE", 700)
    assert head().predict(*given) == expected


def test_the_loss_counts_pixels_that_are_scored():
    given = batch((2, 2), [2, 2], (0, 0, 2, 2), mask=[[0, 1], [-100, 2]])
    loss = head().loss(scores([[0, 1], [2, 0]]), given)
    assert loss.count == 3 and loss.figures["correct"] == 2
    wrong = torch.log(torch.exp(torch.tensor(10.0)) + 2)
    assert loss.total.item() == pytest.approx(3 * wrong.item() - 20, abs=1e-4)


def test_the_dice_loss_is_added_with_its_weight():
    given = scores([[0, 1], [2, 0]]), batch((2, 2), [2, 2], (0, 0, 2, 2), mask=[[0, 1], [-100, 2]])
    plain, one, two = (head(dice=weight).loss(*given).total for weight in (0.0, 1.0, 2.0))
    assert one > plain
    torch.testing.assert_close(two - plain, 2 * (one - plain))


def test_the_metrics_compare_whole_masks_and_take_a_class_for_all_of_one():
    wanted = np.array([[0, 4], [9, 255]])
    right, all_cats = {"prediction": mask_url(np.array([[0, 4], [9, 9]]))}, {"prediction": head().constant()}
    assert head().metrics([right], [wanted])["mean_iou"] == 1.0
    assert head().metrics([all_cats], [wanted])["pixel_accuracy"] == pytest.approx(1 / 3)
    assert head().constant() == "cat" and head().metrics([], []) == {}


def test_a_reference_is_shown_as_predictions_are():
    wanted = np.array([[0, 4], [9, 9]])
    assert head().shown(wanted) == mask_url(wanted) and head().shown(None) is None


@pytest.mark.parametrize(("stages", "side"), [(1, 4), (3, 16)])
def test_the_convolutional_decoder_doubles_the_sides_a_stage(stages, side):
    options = SegmentationOptions(decoder=Decoder.convolution, channels=12, stages=stages)
    assert make_decoder(options, 3, 5)(torch.randn(2, 3, 2, 2)).shape == (2, 5, side, side)


def test_features_without_a_grid_are_refused():
    with pytest.raises(CompositionError) as refused:
        head().predict({"image": Features(torch.zeros(1, 4, 3))}, batch((2, 2), [2, 2], (0, 0, 2, 2)))
    assert str(refused.value) == (
        "`head=segmentation` reads the grid of `image`, which has none behind its projection. Choose another "
        "`projection`."
    )


@pytest.mark.parametrize("classes", [["cat"], ["cat", "cat"]])
def test_classes_must_be_two_or_more_and_differ(classes):
    with pytest.raises(OptionError) as refused:
        SegmentationOptions(classes=classes)
    assert str(refused.value) == f"`classes` must name at least two classes, each once, not {classes}."


def test_the_class_that_is_not_scored_does_not_count_among_the_two():
    with pytest.raises(OptionError) as refused:
        SegmentationOptions(classes=["void", "cat"], ignore=0)
    assert str(refused.value) == (
        "`classes` must name at least two classes beside the one that is not scored (`ignore=0`), not ['void', 'cat']."
    )
