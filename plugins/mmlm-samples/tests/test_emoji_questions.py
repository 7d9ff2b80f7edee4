from __future__ import annotations

import io
import pickle
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw

from mmlm_core.errors import OptionError
from mmlm_core.types import Example
from mmlm_samples.colours import PLAIN, SHOWN, shares
from mmlm_samples.emoji_questions import EmojiQuestionsSource
from mmlm_samples.emoji_questions_options import KINDS, EmojiQuestionsOptions
from mmlm_samples.files import path
from mmlm_samples.questions import KINDS_OF_QUESTION

SPLITS = ["train", "validation", "test"]


@cache
def asked(kind: str, split: str) -> list[Example]:
    return list(EmojiQuestionsSource(EmojiQuestionsOptions(kinds=[kind])).read(split))


@cache
def stored() -> list[dict[str, object]]:
    columns = ["family", "label_en", "group", "tone", "concept", "kin", "picture"]
    listed: list[dict[str, object]] = pq.read_table(path("emoji"), columns=columns).to_pylist()
    return listed


def drawing(row: Example) -> dict[str, object]:
    return stored()[int(row.key.split(":")[1]) - 1]


def text(row: Example) -> str:
    return str(row.inputs["text"][0])


def png(draw: Sequence[tuple[tuple[int, int, int, int], str]]) -> bytes:
    picture = Image.new("RGB", (32, 32), "white")
    for box, colour in draw:
        ImageDraw.Draw(picture).rectangle(box, fill=colour)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


# What is asked


def test_the_kinds_are_those_of_the_options() -> None:
    assert tuple(KINDS_OF_QUESTION) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_each_question_is_about_its_rows_picture_and_its_key_says_its_kind(kind: str) -> None:
    for row in asked(kind, "test"):
        assert row.inputs["image"] == [drawing(row)["picture"]]
        assert row.key.split(":")[2].split(".")[0] == kind


def test_all_kinds_together_are_the_rows_of_each() -> None:
    together = {row.key: (text(row), row.target) for row in EmojiQuestionsSource(EmojiQuestionsOptions()).read("test")}
    apart = {row.key: (text(row), row.target) for kind in KINDS for row in asked(kind, "test")}
    assert together == apart


@pytest.mark.parametrize("kind", KINDS)
def test_the_test_is_of_a_designer_and_validation_of_concepts_that_training_never_shows(kind: str) -> None:
    seen = [[drawing(row) for row in asked(kind, split)] for split in SPLITS]
    assert {row["family"] for row in seen[2]} == {"twemoji"}
    assert not {row["family"] for row in seen[0]} & {"twemoji"}
    assert not {row["concept"] for row in seen[0]} & {row["concept"] for row in seen[1]}


def test_names_groups_and_tones_are_those_of_the_table() -> None:
    assert all(row.target == drawing(row)["label_en"] for row in asked("name", "test"))
    assert all(str(row.target).replace(" and ", "-") == drawing(row)["group"] for row in asked("group", "test"))
    assert all(row.target == drawing(row)["tone"] for row in asked("tone", "test"))


def named_in(row: Example) -> dict[str, object]:
    begins = ("is it called ", "is this ", "does the picture show ")
    [name] = [text(row)[len(begin) : -1] for begin in begins if text(row).startswith(begin)]
    return next(other for other in stored() if other["label_en"] == name)


def test_a_yes_is_given_to_the_pictures_own_name_alone() -> None:
    for row in asked("is_name", "test"):
        assert (named_in(row)["label_en"] == drawing(row)["label_en"]) == (row.target == "yes")


def test_a_no_is_of_another_concept_of_the_same_group() -> None:
    denied = [row for row in asked("is_name", "test") if row.target == "no"]
    assert all(named_in(row)["group"] == drawing(row)["group"] for row in denied)
    assert all(named_in(row)["kin"] != drawing(row)["kin"] for row in denied)


# Nothing is gained by not looking


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("kind", ["is_name", "shows_colour"])
def test_every_wording_of_a_yes_or_no_question_has_as_many_of_both(kind: str, split: str) -> None:
    answers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in asked(kind, split):
        answers[text(row)][str(row.target)] += 1
    most = sum(max(counts.values()) for counts in answers.values())
    off = sum(abs(counts["yes"] - counts["no"]) for counts in answers.values())
    assert off == 0
    assert most * 2 == len(asked(kind, split))


@pytest.mark.parametrize(("kind", "share"), [("group", 1 / 8), ("tone", 1 / 3), ("colour", 2 / 9), ("name", 0.002)])
def test_no_answer_is_frequent(kind: str, share: float) -> None:
    counts = Counter(str(row.target) for row in asked(kind, "test"))
    assert max(counts.values()) / counts.total() <= share + 1e-9


@pytest.mark.parametrize("split", ["train", "test"])
def test_no_colour_is_more_than_twice_as_frequent_as_another(split: str) -> None:
    counts = Counter(str(row.target) for row in asked("colour", split))
    assert set(counts) == set(PLAIN)
    assert max(counts.values()) <= 2 * min(counts.values())


# Colours


@pytest.mark.parametrize(
    ("family", "name", "colour"),
    [
        ("twemoji", "strawberry", "red"),
        ("noto", "tomato", "red"),
        ("twemoji", "basketball", "orange"),
        ("fluent", "lemon", "yellow"),
        ("noto", "broccoli", "green"),
        ("twemoji", "blue heart", "blue"),
        ("fluent-flat", "purple heart", "purple"),
        ("twemoji", "elephant", "gray"),
        ("noto-v1", "black heart", "black"),
    ],
)
def test_a_picture_is_mostly_of_the_colour_that_one_sees(family: str, name: str, colour: str) -> None:
    [picture] = [row["picture"] for row in stored() if row["family"] == family and row["label_en"] == name]
    sure, _ = shares([picture])  # type: ignore[list-item]
    assert PLAIN[int(sure[0].argmax())] == colour
    assert sure[0].max() >= 0.5


@pytest.mark.parametrize("split", SPLITS)
def test_what_is_named_by_a_colour_has_it(split: str) -> None:
    """Hearts, circles, squares, books: their names were given by people who saw them."""
    named = 0
    for kind in ("colour", "shows_colour"):
        for row in asked(kind, split):
            name = str(drawing(row)["label_en"])
            colour, _, thing = name.rpartition(" ")
            if colour in PLAIN and thing in ("heart", "circle", "square", "book", "apple"):
                named += 1
                if kind == "colour":
                    assert row.target == colour, (row.key, name)
                elif colour in text(row).removesuffix("?").split():
                    assert row.target == "yes", (row.key, name)
    assert named > 0


def test_the_ground_is_not_counted_and_white_within_a_drawing_is() -> None:
    left = png([((4, 4, 13, 13), "#ff0000")])
    ring = png([((4, 4, 13, 13), "#ff0000"), ((6, 6, 11, 11), "white")])
    sure, possible = shares([left, ring])
    assert sure[:, PLAIN.index("red")].tolist() == pytest.approx([1.0, 64 / 100])
    assert possible[:, SHOWN.index("red")].tolist() == pytest.approx([1.0, 64 / 100])


def test_each_colour_is_found_and_no_pixel_has_two() -> None:
    painted = {"red": "#dd2e44", "orange": "#f4900c", "yellow": "#fdcb58", "green": "#78b159", "blue": "#55acee",
               "purple": "#9266cc", "gray": "#99aab5", "black": "#31373d"}  # fmt: skip
    sure, _ = shares([png([((0, 0, 31, 31), painted[colour])]) for colour in PLAIN])
    found = [PLAIN[int(row.argmax())] for row in sure if row.max() == 1]
    assert found == list(PLAIN)
    grid = [(r, g, b) for r in range(0, 256, 15) for g in range(0, 256, 15) for b in range(0, 256, 15)]
    cells = [png([((0, 0, 31, 31), f"#{r:02x}{g:02x}{b:02x}")]) for r, g, b in grid if min(r, g, b) < 250]
    sure, possible = shares(cells)
    assert (sure.sum(axis=1) <= 1).all()
    shown = sure[:, [PLAIN.index(colour) for colour in SHOWN]]
    assert (possible >= shown).all(), "what is sure is possible"


def test_no_pictures_have_no_shares() -> None:
    sure, possible = shares([])
    assert (sure.shape, possible.shape) == ((0, len(PLAIN)), (0, len(SHOWN)))
    assert sure.dtype == np.float32


# The source


def test_the_same_questions_are_made_in_another_process() -> None:
    code = (
        "import zlib; from mmlm_samples.emoji_questions import *; from mmlm_samples.emoji_questions_options import *;"
        "rows = EmojiQuestionsSource(EmojiQuestionsOptions(limit=500)).read('test');"
        "print(zlib.crc32(repr(rows).encode()))"
    )
    done = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed})
            for seed in ("1", "2")]  # fmt: skip
    assert done[0].stdout == done[1].stdout


def test_rows_are_picklable_and_a_limit_keeps_every_kind() -> None:
    rows = EmojiQuestionsSource(EmojiQuestionsOptions(limit=300)).read("train")
    assert list(pickle.loads(pickle.dumps(rows))) == list(rows)
    assert {row.key.split(":")[2].split(".")[0] for row in rows} == set(KINDS)


def test_one_family_has_the_splits_of_its_own() -> None:
    assert EmojiQuestionsSource(EmojiQuestionsOptions(families=["noto"])).splits() == ["train", "validation"]
    assert EmojiQuestionsSource(EmojiQuestionsOptions(validate=False)).splits() == ["train", "test"]


def test_a_wrong_kind_gets_the_choices() -> None:
    with pytest.raises(OptionError) as caught:
        EmojiQuestionsOptions(kinds=["color"])
    assert str(caught.value) == (
        "`kinds` has no choice `color`. Did you mean `colour`? "
        "Choices: `colour`, `group`, `is_name`, `name`, `shows_colour`, `tone`."
    )
