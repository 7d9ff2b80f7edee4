"""A loaded model that predicts: rows that cannot be used are told, or left out and counted."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mmlm_core.build import build
from mmlm_core.composition import Composition
from mmlm_core.errors import DataError, OptionError
from mmlm_core.plugins import load_plugins
from mmlm_core.prediction import Predictor, load

REGISTRY = load_plugins().registry


def made(on_error: str) -> Predictor:
    """A random model that reads pictures and writes two bytes."""
    mapping: dict[str, Any] = {
        "data": {"name": "table", "path": "none.csv", "inputs": {"image": "path"}, "target": "caption"},
        "tokenizer": {"name": "byte"},
        "encoder": {"image": {"name": "cnn", **REGISTRY.get("encoder/image", "cnn").tiny}},
        "projection": {"image": {"name": "linear"}},
        "fusion": {"name": "concat"},
        "backbone": {"name": "gru", **REGISTRY.get("backbone", "gru").tiny},
        "head": {"name": "captioning", "tie": False},
        "optimizer": {"name": "adamw"},
        "schedule": {"name": "constant"},
        "loader": {"batch_size": 2, "on_error": on_error},
        "decoding": {"max_tokens": 2},
    }
    composition = Composition.from_mapping(REGISTRY, mapping)
    choice = composition["tokenizer"]
    return Predictor(composition, build(composition, tokenizer=choice.component.load()(choice.options)))


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, Any]]:
    """Good rows with bad ones between them; the second batch of two is all bad."""
    good, torn = tmp_path / "good.png", tmp_path / "torn.png"
    Image.new("RGB", (8, 8)).save(good)
    torn.write_text("no picture")
    images = {"a": good, "b": good, "c": torn, "d": None, "e": torn, "f": good}
    return [{"key": key, "image": None if image is None else str(image)} for key, image in images.items()]


def test_rows_that_cannot_be_used_are_left_out_logged_and_counted(
    rows: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert [row["key"] for row in made("skip").predict(rows)] == ["a", "b", "f"]
    assert [message.split(":")[0] for message in caplog.messages] == [
        "Skipped `d`", "Skipped `c`", "Skipped `e`", "3 rows could not be used."
    ]  # fmt: skip
    assert "`d` gives none of the inputs that this model reads." in caplog.messages[0]


def test_a_row_that_cannot_be_used_is_told_with_the_way_out(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(DataError, match=r"^`c`: `.*torn\.png` .* To leave such rows out: `loader\.on_error=skip`\.$"):
        list(made("raise").predict(rows[2:3]))
    with pytest.raises(DataError, match=r"^`d` gives none of the inputs that this model reads\."):
        list(made("raise").predict(rows[3:4]))


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_one_input_that_cannot_be_used_is_always_an_error(rows: list[dict[str, Any]], on_error: str) -> None:
    with pytest.raises(DataError, match="torn"):
        made(on_error).generate(image=rows[2]["image"])


def test_a_prompt_stays_the_text_that_it_is(rows: list[dict[str, Any]]) -> None:
    predictor = made("raise")
    image = rows[0]["image"]
    said = {"".join(predictor.stream({"image": image, "prompt": prompt}, echo=True)) for prompt in (123, "123")}
    assert len(said) == 1 and said.pop().startswith("123")
    for prompt, told in ((1.50, "1.5"), (True, "True"), ({"a": 1}, "{'a': 1}")):
        with pytest.raises(DataError) as refused:
            list(predictor.predict([{"key": "a", "image": image, "prompt": prompt}]))
        assert str(refused.value) == f"The `prompt` of `a` must be text, not {told}: put it into quotes."


@pytest.mark.parametrize("rows", ["cat.png", {"image": "cat.png"}, 3, None])
def test_rows_that_are_none_are_told_before_anything_is_predicted(rows: Any) -> None:
    with pytest.raises(DataError) as refused:
        made("raise").predict(rows)
    assert (
        str(refused.value)
        == '`predict` takes rows, as `predict([{"image": ...}])`; for one row, `generate(image=...)`.'
    )


def test_an_input_by_its_name_is_no_argument_of_predict() -> None:
    with pytest.raises(TypeError, match=r"predict\(\) got an unexpected keyword argument 'image'"):
        made("raise").predict(image="cat.png")  # type: ignore[call-arg]


def test_a_row_that_is_no_mapping_is_told() -> None:
    with pytest.raises(DataError) as refused:
        list(made("raise").predict(["cat.png"]))  # type: ignore[list-item]
    assert str(refused.value) == (
        "row 1 must give each input by its modality, as `{'image': ...}`, not be str. Choices: `image`."
    )


def test_a_predictor_says_what_it_is_made_of() -> None:
    told = repr(made("raise"))
    assert re.fullmatch(
        r"Predictor\(encoder/image=cnn fusion=concat backbone=gru head=captioning; [\d.]+ k parameters on cpu\)", told
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"overrides": "decoding.beams=4"},
            '`overrides` must be a list of texts, as `["decoding.beams=4"]`, not one text.',
        ),
        ({"device": "gpu"}, "`device` must be one that torch has here, as `cpu` or `auto`, not `gpu`."),
    ],
)
def test_what_a_run_cannot_be_loaded_with_is_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as refused:
        load("runs/none", **changes)
    assert str(refused.value) == message
