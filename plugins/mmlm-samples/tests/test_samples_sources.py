from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from mmlm_core.errors import DataError, OptionError
from mmlm_core.interfaces import DataSource
from mmlm_core.media import load_picture
from mmlm_core.options import option_docs, typed
from mmlm_samples.emoji import EmojiSource
from mmlm_samples.options import FAMILIES, LANGUAGES, EmojiOptions, EmojiSplit, PoemsOptions, ProseOptions, SpamOptions
from mmlm_samples.plugin import mmlm_components
from mmlm_samples.rows import SampleFile

SPLITS = ["train", "validation", "test"]
SOURCES = {component.name: component for component in mmlm_components()}
SMALL: dict[str, dict[str, Any]] = {"emoji_scenes": {"size": 16, "rounds": 1}}
"""Options with which a source's rows are painted quickly."""


def source(name: str, **values: Any) -> DataSource:
    component = SOURCES[name]
    made: DataSource = component.load()(typed(component.options, values, "data", "the test"))
    return made


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_has_three_splits_that_share_no_row_and_are_picklable(name: str) -> None:
    data = source(name, **SMALL.get(name, {}))
    assert data.splits() == SPLITS
    keys: list[str] = []
    for split in SPLITS:
        rows = pickle.loads(pickle.dumps(data.read(split)))
        assert len(rows) > 20
        assert all(row.target for row in rows)
        keys += [row.key for row in rows]
    assert len(set(keys)) == len(keys)
    assert keys[0].startswith((f"{name.partition('_')[0]}.parquet:", f"{name}:"))  # of a file, or made by code


@pytest.mark.parametrize("name", SOURCES)
def test_the_traits_say_what_the_rows_hold(name: str) -> None:
    component = SOURCES[name]
    options = component.options()
    [row] = source(name, limit=1).read("train")
    held = {f"input:{modality}" for modality, items in row.inputs.items() if items}
    traits = component.traits_for(options)
    assert {word for word in traits.provides if not word.startswith("target")} == held
    assert traits.has_target and row.target is not None


@pytest.mark.parametrize("name", SOURCES)
def test_a_limit_spreads_over_the_split(name: str) -> None:
    small = SMALL.get(name, {})
    rows, few = source(name, **small).read("train"), source(name, limit=10, **small).read("train")
    places = {row.key: place for place, row in enumerate(rows)}
    chosen = [places[row.key] for row in few]
    assert len(chosen) == 10
    assert max(chosen) > 0.8 * len(rows)
    assert min(chosen) < 0.2 * len(rows)


@pytest.mark.parametrize("name", SOURCES)
def test_every_option_has_a_doc_and_the_tiny_options_are_valid(name: str) -> None:
    assert all(option_docs(SOURCES[name].options).values())
    assert len(source(name, **SOURCES[name].tiny).read("train")) == 16


def test_the_standard_split_of_the_emoji_holds_out_a_designer() -> None:
    data = source("emoji", inputs={"image": None}, target="family")
    assert {row.target for row in data.read("test")} == {"twemoji"}
    for split in ("train", "validation"):
        assert {row.target for row in data.read(split)} == set(FAMILIES) - {"twemoji"}


def test_validation_emoji_are_of_other_concepts_than_those_of_training() -> None:
    data = source("emoji", inputs={"image": None}, target="concept")
    assert not {row.target for row in data.read("train")} & {row.target for row in data.read("validation")}


def test_the_harder_split_of_the_emoji_holds_out_concepts() -> None:
    data = source("emoji", inputs={"image": None}, split="concepts", target="concept")
    held = [{row.target for row in data.read(split)} for split in SPLITS]
    assert not held[0] & held[1]
    assert not held[0] & held[2]
    assert not held[1] & held[2]


def test_a_picture_goes_with_its_label_in_every_language() -> None:
    for language, label in (("en", "cat face"), ("zh", "猫脸")):
        rows = [row for row in source("emoji", language=language).read("test") if row.target == label]
        assert len(rows) == 1
        [picture] = rows[0].inputs["image"]
        assert load_picture(picture).size == (32, 32)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_labels_every_row(language: str) -> None:
    data = source("emoji", language=language, inputs={"image": None})
    assert len(data.read("train")) == len(source("emoji", target="group", inputs={"image": None}).read("train"))


def test_any_column_can_be_an_input_or_the_target() -> None:
    options = {"inputs": {"image": "picture", "text": ["label_zh", "tags_en"]}, "target": "group", "limit": 5}
    for row in source("emoji", **options).read("train"):
        assert isinstance(row.inputs["image"][0], bytes)
        assert len(row.inputs["text"]) > 1
        assert all(isinstance(text, str) and text for text in row.inputs["text"])
        assert isinstance(row.target, str)


def test_everything_reads_more_rows_and_families_fewer() -> None:
    inputs = {"image": None}
    standard = len(source("emoji", inputs=inputs).read("train"))
    assert len(source("emoji", inputs=inputs, everything=True).read("train")) > standard
    one = source("emoji", inputs=inputs, families=["noto"])
    assert one.splits() == ["train", "validation"]
    assert 0 < len(one.read("train")) < standard


def test_the_constants_of_the_options_are_those_of_the_file() -> None:
    path = EmojiSource(EmojiOptions()).file.path
    names = parquet.read_schema(path).names
    assert {name for name in names if name.startswith("label_")} == {f"label_{language}" for language in LANGUAGES}
    assert set(parquet.read_table(path, columns=["family"])["family"].unique().to_pylist()) == set(FAMILIES)


def test_rows_slice_and_index_like_a_list() -> None:
    rows = source("spam", limit=9).read("train")
    listed = list(rows)
    assert list(rows[2:5]) == listed[2:5]
    assert rows[-1] == listed[-1]
    with pytest.raises(IndexError):
        rows[9]


def test_poems_are_chinese_and_spam_has_two_labels() -> None:
    [poem] = source("poems", limit=1).read("train")
    assert any("\u4e00" <= character <= "\u9fff" for character in poem.target)
    assert {row.target for row in source("spam").read("test")} == {"ham", "spam"}


def test_a_wrong_language_family_column_or_split_gets_the_choices() -> None:
    with pytest.raises(OptionError) as caught:
        EmojiOptions(language="zj")
    assert str(caught.value) == ("`language` has no choice `zj`. Choices: `de`, `en`, `es`, `fr`, `ja`, `zh`.")
    with pytest.raises(OptionError, match=r"^`families` has no choice `notto`\. Did you mean `noto`\? Choices: "):
        EmojiOptions(families=["notto"])
    with pytest.raises(
        DataError,
        match=r"^`data=emoji` has no column `lable_en`, which `data\.target` names\. Did you mean `label_en`\?",
    ):
        source("emoji", target="lable_en").read("train")
    with pytest.raises(
        DataError, match=r"^`data=emoji` has no rows for the split `test`\. Choices: `train`, `validation`\.$"
    ):
        source("emoji", families=["noto"]).read("test")
    with pytest.raises(OptionError, match=r"^`inputs\.text` must be a column or a list of columns, not 3\.$"):
        SpamOptions(inputs={"text": 3})
    for options in (SpamOptions, PoemsOptions, ProseOptions, EmojiOptions):
        with pytest.raises(OptionError, match=r"^`limit` must be at least 1, not 0\.$"):
            options(limit=0)


def test_rows_without_a_target_are_left_out(tmp_path: Path) -> None:
    table = {"text": ["a", "b", "c", "d"], "tags": [["x"], [], None, ["y"]], "note": ["", None, "n", "m"]}
    parquet.write_table(pa.table({**table, "split": ["train"] * 4}), tmp_path / "t.parquet")
    for target, kept in (("tags", ["t.parquet:1", "t.parquet:4"]), ("note", ["t.parquet:3", "t.parquet:4"])):
        file = SampleFile("spam", {"text": "text"}, target, None)
        file.path = tmp_path / "t.parquet"
        assert [row.key for row in file.read("train")] == kept


def test_a_damaged_installation_says_so(tmp_path: Path) -> None:
    file = SampleFile("emoji", {}, "text", None)
    file.path = tmp_path / "emoji.parquet"
    with pytest.raises(
        DataError, match=r"emoji\.parquet`, which is a part of mmlm-samples, cannot be read: .*again\.$"
    ):
        file.splits()


def test_the_split_reads_by_its_word() -> None:
    assert typed(EmojiOptions, {"split": "concepts"}, "data", "the test").split is EmojiSplit.concepts


def test_declaring_imports_neither_torch_nor_pyarrow() -> None:
    code = "import sys, mmlm_samples.plugin as p; p.mmlm_components(); print({'torch', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_without_validation_its_rows_are_trained_on() -> None:
    whole, held = source("emoji", validate=False), source("emoji")
    assert whole.splits() == ["train", "test"]
    keys = {row.key for row in whole.read("train")}
    assert keys == {row.key for split in ("train", "validation") for row in held.read(split)}
    assert len(whole.read("test")) == len(held.read("test"))
