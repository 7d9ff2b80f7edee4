"""The films: of every motion the frames show it, and no single frame tells."""

import numpy as np
import pytest
from PIL import Image

from mmlm_core.errors import DataError, OptionError
from mmlm_video.motions import MotionsSource
from mmlm_video.options import COLOURS, MOTIONS, SHAPES, MotionsOptions, Target
from mmlm_video.reading import load_frames


def rows(split: str = "train", **options: object) -> list:
    given = {"rows": 80, "frames": 4, "size": 96, **options}
    return list(MotionsSource(MotionsOptions(**given)).read(split))  # type: ignore[arg-type]


def shape(frame: Image.Image) -> np.ndarray:
    """Return where a frame is not its ground, which is the colour of its corner."""
    pixels = np.asarray(frame).astype(int)
    return np.abs(pixels - pixels[0, 0]).max(2) > 60


def ends(row: object) -> tuple[np.ndarray, np.ndarray]:
    first, *_, last = load_frames(row.inputs["video"][0], 99)  # type: ignore[attr-defined]
    return shape(first), shape(last)


def centre(where: np.ndarray) -> np.ndarray:
    return np.argwhere(where).mean(0)


def test_every_motion_stands_equally_often_in_every_split() -> None:
    for split, count in (("train", 80), ("validation", 8), ("test", 8)):
        targets = [row.target for row in rows(split)]
        assert len(targets) == count and {targets.count(motion) for motion in MOTIONS} == {count // len(MOTIONS)}


@pytest.mark.parametrize(("motion", "axis", "sign"), [("moving left", 1, -1), ("moving right", 1, 1),
                                                      ("moving up", 0, -1), ("moving down", 0, 1)])  # fmt: skip
def test_a_shape_moves_where_its_label_says_and_nowhere_else(motion: str, axis: int, sign: int) -> None:
    for row in (row for row in rows() if row.target == motion):
        first, last = ends(row)
        way = centre(last) - centre(first)
        assert way[axis] * sign > 16 and abs(way[1 - axis]) < 2


def test_a_radius_grows_by_2_2_or_shrinks_by_that_or_stays() -> None:
    for row in rows():
        first, last = (where.sum() for where in ends(row))
        expected = {"growing": 2.2**2, "shrinking": 2.2**-2}.get(row.target, 1.0)
        assert last / first == pytest.approx(expected, rel=0.25), row.target


def test_a_turning_shape_stays_where_it_is_and_looks_otherwise() -> None:
    changed = {"turning": [], "still": []}
    for row in (row for row in rows() if row.target in changed):
        first, last = ends(row)
        assert np.abs(centre(last) - centre(first)).max() < 2
        changed[row.target].append((first ^ last).sum() / first.sum())
    assert min(changed["turning"]) > 2 * max(changed["still"])


def test_captions_name_colour_shape_and_motion_and_a_circle_never_turns() -> None:
    captions = [row.target for row in rows(target=Target.caption)]
    for place, caption in enumerate(captions):
        article, colour, form, motion = caption.split(" ", 3)
        assert article == "a" and colour in COLOURS and form in SHAPES and motion == MOTIONS[place % len(MOTIONS)]
        assert (form, motion) != ("circle", "turning")
    assert len(set(captions)) > 50


def test_rows_follow_from_seed_split_and_number_alone() -> None:
    source = MotionsSource(MotionsOptions(rows=80)).read("train")
    assert source[5] == source[5] == source[3:][2] == list(source)[5] and source[-1] == source[79]
    others = [rows("test")[5], rows(seed=1)[5]]
    assert source[5].inputs not in [other.inputs for other in others]


def test_films_differ_in_length_up_to_twice_the_least() -> None:
    lengths = {len(load_frames(row.inputs["video"][0], 99)) for row in rows()}
    assert lengths == {4, 5, 6, 7, 8}


def test_an_unknown_split_is_named_with_the_nearest() -> None:
    with pytest.raises(DataError) as caught:
        MotionsSource(MotionsOptions()).read("tset")
    assert str(caught.value) == (
        "`data=motions` has no split `tset`. Did you mean `test`? Choices: `test`, `train`, `validation`."
    )


@pytest.mark.parametrize(("given", "told"), [
    ({"rows": 79}, "`rows` must be at least 80, not 79."),
    ({"frames": 1}, "`frames` must be at least 2, not 1."),
    ({"size": 15}, "`size` must be at least 16, not 15."),
    ({"target": "lable"}, "`target` must be one of `label`, `caption`, not `lable`. Did you mean `label`?"),
])  # fmt: skip
def test_a_wrong_option_is_named(given: dict[str, object], told: str) -> None:
    with pytest.raises(OptionError) as caught:
        MotionsOptions(**given)  # type: ignore[arg-type]
    assert str(caught.value) == told
