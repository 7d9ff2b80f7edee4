"""Scenes of emoji: what their masks show, and that nothing but the text says which of two is meant."""

from __future__ import annotations

import io
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from mmlm_core.errors import OptionError
from mmlm_core.types import Example
from mmlm_samples.emoji_scenes import EmojiScenesSource
from mmlm_samples.emoji_scenes_options import CLASSES, EmojiScenesOptions, SceneTask
from mmlm_samples.files import path
from mmlm_samples.scenes import Cutout, paint

GROUPS = EmojiScenesOptions()
NAMED = EmojiScenesOptions(task=SceneTask.named)


@cache
def drawings() -> list[dict[str, Any]]:
    columns = ["picture", "family", "emoji", "group", "label_en", "kin"]
    alpha = pq.read_table(path("emoji_alpha"), columns=["alpha"]).column("alpha")
    listed: list[dict[str, Any]] = (
        pq.read_table(path("emoji"), columns=columns).append_column("alpha", alpha).to_pylist()
    )
    return listed


def rows(options: EmojiScenesOptions, split: str, count: int = 40) -> list[Example]:
    return list(EmojiScenesSource(options).read(split)[:count])


def pixels(content: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(content)))


def drawing_of(row: Example) -> dict[str, Any]:
    return drawings()[int(row.key.split(":")[1]) - 1]


def test_the_alpha_is_that_of_the_same_row() -> None:
    alpha = pq.read_table(path("emoji_alpha"), columns=["family", "emoji"]).to_pylist()
    assert [(row["family"], row["emoji"]) for row in alpha] == [(row["family"], row["emoji"]) for row in drawings()]
    assert path("emoji_alpha").stat().st_size < 1.2e6


@pytest.mark.parametrize("number", [0, 4000, 9000, 14000])
def test_a_cutout_laid_on_white_is_the_picture(number: int) -> None:
    row = drawings()[number]
    cutout = Cutout.of(row["picture"], row["alpha"])
    again = cutout.ink + (255 - cutout.alpha[..., None])
    assert np.array_equal(again, pixels(row["picture"])) and set(np.unique(cutout.alpha)) > {0, 255}


def test_the_mask_shows_where_the_drawing_is_opaque() -> None:
    """On two grounds, what is no ground stays as it is, and the rest differs nearly everywhere."""
    row = drawings()[100]
    cutout = Cutout.of(row["picture"], row["alpha"])
    scene, owners = paint([cutout], 96, np.random.default_rng(1))
    assert set(np.unique(owners)) == {0, 1}
    inside = scene[owners == 1].astype(int)
    down, across = np.nonzero(owners)
    share = (owners == 1).sum() / (np.ptp(down) + 1) / (np.ptp(across) + 1)
    assert abs(inside.mean(0) - cutout.ink[cutout.alpha > 250].mean(0)).max() < 12  # its own colours
    assert share == pytest.approx(
        (cutout.alpha >= 128).sum() / np.prod(np.ptp(np.nonzero(cutout.alpha >= 128), 1) + 1), abs=0.1
    )


def test_scenes_are_painted_alike_each_time_and_differ_from_each_other() -> None:
    first, again = rows(GROUPS, "train"), rows(GROUPS, "train")
    assert [row.inputs["image"] for row in first] == [row.inputs["image"] for row in again]
    assert len({row.inputs["image"][0] for row in first}) == len(first)


def test_a_mask_of_groups_has_the_first_drawings_group_and_the_ground() -> None:
    for row in rows(GROUPS, "test"):
        mask, picture = pixels(row.target), pixels(row.inputs["image"][0])
        assert mask.shape == picture.shape[:2] == (64, 64) and picture.dtype == mask.dtype == np.uint8
        assert {0, CLASSES.index(drawing_of(row)["group"])} <= set(np.unique(mask)) <= set(range(len(CLASSES)))
        assert drawing_of(row)["family"] == "twemoji"


def test_each_scene_is_asked_about_twice_and_only_the_text_tells_which() -> None:
    listed = rows(NAMED, "test")
    for one, other in zip(listed[::2], listed[1::2], strict=True):
        assert one.inputs["image"] == other.inputs["image"] and one.inputs["text"] != other.inputs["text"]
        first, second = pixels(one.target), pixels(other.target)
        assert set(np.unique(first)) == set(np.unique(second)) == {0, 1} and not (first & second).any()
        for row in (one, other):
            assert row.inputs["text"] == [drawing_of(row)["label_en"]]
        assert drawing_of(one)["kin"] != drawing_of(other)["kin"]
        assert drawing_of(one)["family"] == drawing_of(other)["family"]


def test_what_is_asked_for_lies_as_often_below_as_above() -> None:
    """The first of a pair is painted first, and may be hidden a little: its place tells nothing all the same."""
    listed = rows(NAMED, "train", 200)
    above = Counter(np.nonzero(pixels(row.target))[0].mean() < 32 for row in listed)
    assert 0.4 < above[True] / len(listed) < 0.6


def test_every_drawing_has_a_scene_in_each_round_of_the_training() -> None:
    scenes = EmojiScenesSource(EmojiScenesOptions(rounds=3)).read("train")
    once = EmojiScenesSource(EmojiScenesOptions(rounds=1)).read("train")
    assert len(scenes) == 3 * len(once)
    test = EmojiScenesSource(EmojiScenesOptions(rounds=3)).read("test")
    assert len(test) == 2595


def test_options_are_checked() -> None:
    with pytest.raises(OptionError, match=r"^`size` must be from 16 to 1024, not 8\.$"):
        EmojiScenesOptions(size=8)
    with pytest.raises(OptionError, match=r"^`families` has no choice `apple`\."):
        EmojiScenesOptions(families=["apple"])
