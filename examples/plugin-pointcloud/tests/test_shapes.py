"""The data source `shapes`: the same rows each time, and solids that are what their captions say."""

import math
import pickle

import numpy as np
import pytest

from mmlm_core.errors import DataError, OptionError
from mmlm_pointcloud.options import KINDS, ShapesOptions, Target
from mmlm_pointcloud.reading import load_points
from mmlm_pointcloud.shapes import SPLITS, ShapesSource
from mmlm_pointcloud.solids import SIDES, outline, surface


def rows(split: str = "train", **options: object) -> list:
    return list(ShapesSource(ShapesOptions(**{"rows": 200, **options})).read(split))  # type: ignore[arg-type]


def points(kind: str, height: float = 3.0, count: int = 4000) -> np.ndarray:
    return surface(outline(kind, height, wall=0.3), SIDES.get(kind, 0), count, np.random.RandomState(0))


def test_the_same_options_give_the_same_rows_and_another_seed_others() -> None:
    assert rows() == rows()
    assert all(one.inputs != other.inputs for one, other in zip(rows(), rows(seed=1), strict=True))


def test_more_rows_leave_the_first_as_they_are() -> None:
    assert rows(rows=300)[:200] == rows(rows=200)


def test_no_cloud_stands_in_two_splits() -> None:
    clouds = [example.inputs["pointcloud"][0] for split in SPLITS for example in rows(split)]
    assert len(set(clouds)) == len(clouds)


def test_every_split_has_every_solid_equally_often() -> None:
    for split, size in zip(SPLITS, (200, 20, 20), strict=True):
        labels = [example.target for example in rows(split)]
        assert len(labels) == size and {labels.count(kind) for kind in KINDS} == {size // len(KINDS)}


def test_a_caption_names_the_label() -> None:
    for label, caption in zip(rows(), rows(target=Target.caption), strict=True):
        assert label.inputs == caption.inputs and label.target in caption.target.split()


def test_clouds_have_points_of_a_number_of_their_own() -> None:
    sizes = [len(load_points(example.inputs["pointcloud"][0])) for example in rows(points=80)]
    assert min(sizes) >= 10 and max(sizes) <= 80 and len(set(sizes)) > 30


def test_rows_slice_index_and_pickle_like_a_list() -> None:
    read = ShapesSource(ShapesOptions(rows=100)).read("train")
    listed = list(read)
    assert list(read[3:9:2]) == listed[3:9:2] and read[-1] == listed[-1] and pickle.loads(pickle.dumps(read)) == read
    with pytest.raises(IndexError):
        read[100]


@pytest.mark.parametrize(("caption", "low", "high"), [
    ("a tall thin cylinder", 1.6, 4.0), ("a flat wide cylinder", 0.15, 0.6), ("a cylinder", 0.7, 1.5),
    ("a tall thin cylinder on its side", 0.2, 0.7), ("a thin torus", 0.08, 0.4), ("a thin torus on its side", 0.8, 1.3),
])  # fmt: skip
def test_a_solid_is_as_high_over_its_width_as_its_caption_says(caption: str, low: float, high: float) -> None:
    found = [load_points(example.inputs["pointcloud"][0]) for example in rows(rows=1000, target=Target.caption, noise=0.0)
             if example.target == caption]  # fmt: skip
    assert len(found) >= 3
    for cloud in found:
        assert low < np.ptp(cloud[:, 2]) / _widest(cloud[:, :2]) < high


def test_what_stands_upside_down_has_its_point_below() -> None:
    for example in rows(rows=600, target=Target.caption, noise=0.0):
        if " cone" in example.target and "side" not in example.target:
            heights = load_points(example.inputs["pointcloud"][0])[:, 2]
            share = (heights.mean() - heights.min()) / np.ptp(heights)  # a cone's surface lies mostly near its base
            assert (share > 0.5) == ("upside down" in example.target)


@pytest.mark.parametrize("kind", KINDS)
def test_a_solid_has_the_height_and_the_radius_that_were_asked_for(kind: str) -> None:
    height = 0.6 if kind == "torus" else 3.0
    cloud = points(kind, height)
    radius = np.abs(cloud[:, 0]).max() if kind in ("box", "pyramid") else np.hypot(cloud[:, 0], cloud[:, 1]).max()
    assert math.isclose(np.ptp(cloud[:, 2]), height, rel_tol=0.03) and math.isclose(radius, 1, rel_tol=0.03)


@pytest.mark.parametrize(("kind", "height", "share", "expected"), [
    ("cylinder", 3.0, lambda p: (p[:, 2] > 0.001) & (p[:, 2] < 2.999), 3 / 4),  # the wall 2 pi h, the whole 2 pi (h + 1)
    ("cone", 3.0, lambda p: p[:, 2] > 0.001, math.sqrt(10) / (1 + math.sqrt(10))),  # the mantle is pi * slant
    ("box", 2.0, lambda p: np.abs(p[:, 0]) > 0.999, 2 / 6),  # two faces of a cube
    ("sphere", 2.0, lambda p: p[:, 2] > 1.5, 1 / 4),  # Archimedes: a zone's area goes with its height
    ("torus", 0.6, lambda p: np.hypot(p[:, 0], p[:, 1]) > 0.7, 0.5 + 0.3 / (math.pi * 0.7)),  # the outer half
])  # fmt: skip
def test_every_part_of_a_surface_has_points_by_its_area(
    kind: str, height: float, share: object, expected: float
) -> None:
    assert math.isclose(share(points(kind, height, 40000)).mean(), expected, abs_tol=0.012)  # type: ignore[operator]


def test_an_unknown_split_gets_the_choices_and_too_few_rows_the_reason() -> None:
    with pytest.raises(DataError) as caught:
        ShapesSource(ShapesOptions()).read("tests")
    assert str(caught.value) == ("`data=shapes` has no split `tests`. Did you mean `test`? Choices: `test`, `train`, "
                                 "`validation`.")  # fmt: skip
    with pytest.raises(OptionError, match=r"^`rows` must be at least 100, not 50\.$"):
        ShapesOptions(rows=50)


def _widest(flat: np.ndarray) -> float:
    """The largest extent in the plane, whichever way it is turned."""
    angles = np.linspace(0, math.pi, 60)
    return float(np.ptp(flat @ np.stack([np.cos(angles), np.sin(angles)]), axis=0).max())
