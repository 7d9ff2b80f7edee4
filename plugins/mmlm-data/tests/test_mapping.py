"""Columns that are guessed, splits by groups and folds, and the same content in every format."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import torch

import mmlm_core
from mmlm_core.data import collate_examples, make_loaders
from mmlm_core.errors import DataError, OptionError
from mmlm_core.interfaces import DataSource
from mmlm_core.preparation import prepare
from mmlm_core.settings import LoaderOptions, OnError
from mmlm_core.types import Batch, Example
from mmlm_data import spool
from mmlm_data.folds import main, summary
from mmlm_data.guessing import guess
from mmlm_data.options import TableOptions
from mmlm_data.rows import Rows
from mmlm_data.specimens import CAPTIONS, COLOURS, SPECIMENS, tar_of, write_table, written
from mmlm_data.splits import fold_shares, group_shares
from mmlm_data.table import TableSource

WHOLE = {"validation_fraction": 0.0, "test_fraction": 0.0}


def table(path: Path | str, split: str = "train", **options: Any) -> Rows:
    return TableSource(TableOptions(path=str(path), **{**WHOLE, **options})).read(split)


@pytest.mark.parametrize(
    ("row", "inputs", "target"),
    [
        ({"id": 1, "file_name": "cat.png", "caption": "a cat"}, {"image": "file_name"}, "caption"),
        ({"path": "a/b.FLAC", "sentence": "hello", "transcript": "x"}, {"audio": "path", "text": "sentence"}, "transcript"),
        ({"Image": "a", "Question": "b", "Answer": "c"}, {"image": "Image", "text": "Question"}, "Answer"),
        ({"x": "a", "path": "somewhere"}, {}, None),
    ],
)  # fmt: skip
def test_usual_names_are_known(row: dict[str, Any], inputs: dict[str, str], target: str | None) -> None:
    assert guess(row) == (inputs, target)


def test_what_is_guessed_is_told_and_stands_in_the_options(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_table(tmp_path / "rows.csv")
    options = TableOptions(path=str(path))
    assert (options.inputs, options.target) == ({"image": "image"}, "caption")
    TableSource(options)
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        f"`{path}`: using the column `image` as `data.inputs.image`.",
        f"`{path}`: using the column `caption` as `data.target`.",
    ]
    caplog.clear()
    TableSource(TableOptions(path=str(path), inputs=options.inputs, target=options.target))
    assert not caplog.records


def test_what_is_said_is_not_guessed_nor_used_twice(tmp_path: Path) -> None:
    path = write_table(tmp_path / "rows.jsonl")
    options = TableOptions(path=str(path), inputs={"text": "caption"})
    assert (options.inputs, options.target) == ({"text": "caption"}, None)
    options = TableOptions(path=str(path), target="colour")
    assert (options.inputs, options.target) == ({"image": "image"}, "colour")


def test_a_run_whose_file_is_gone_still_has_its_options() -> None:
    assert TableOptions(path="gone.csv", target="text").inputs == {}
    with pytest.raises(DataError, match=r"^`gone\.csv` cannot be opened: No such file or directory\.$"):
        TableOptions(path="gone.csv")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".json", ".jsonl", ".parquet", ".arrow", ".feather"])
def test_several_files_are_one_table(tmp_path: Path, suffix: str) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_table(tmp_path / name / f"rows{suffix}", stream=name == "b")
    for path in (str(tmp_path), str(tmp_path / "*" / f"rows{suffix}")):
        rows = table(path)
        assert [row.target for row in rows] == CAPTIONS * 2
        assert rows[10].key == f"rows{suffix}:1"
        assert pickle.loads(pickle.dumps(rows))[19] == rows[19]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_large_file_is_memory_mapped_and_laid_down_once(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for module in ("arrow_files", "delimited", "encodings"):
        monkeypatch.setattr(f"mmlm_data.{module}.SMALL", 100)
    assert spool.SMALL == 1 << 26
    path = write_table(tmp_path / f"rows{suffix}")
    before = pa.total_allocated_bytes()
    rows = table(path)
    assert [row.target for row in rows] == CAPTIONS
    assert pa.total_allocated_bytes() - before < 100
    [made] = (tmp_path / "cache" / "mmlm" / "data").iterdir()
    stamp = made.stat().st_mtime_ns
    assert list(pickle.loads(pickle.dumps(rows))) == list(table(path)) == list(rows)
    assert made.stat().st_mtime_ns == stamp
    assert len(pickle.dumps(rows)) < 2000


def test_targets_that_name_files_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "image,mask\na.png,masks/a.png\n")
    assert [row.target for row in table(path, target="mask")] == ["masks/a.png"]
    assert [row.target for row in table(path, target="mask", target_files=True)] == [str(tmp_path / "masks" / "a.png")]


def test_rows_that_cannot_be_read_are_skipped_in_all_of_a_preparation(tmp_path: Path) -> None:
    rows = [json.dumps({"text": caption, "label": COLOURS[n]}) for n, caption in enumerate(CAPTIONS)]
    path = written(tmp_path / "a.jsonl", "\n".join([*rows[:4], '{"text": ', *rows[4:]]))
    words = ["data=table", f"data.path={path}", "data.validation_fraction=0", "data.test_fraction=0",
             "encoder/text=embedding", "head=classification", "backbone.width=16", "backbone.depth=1"]  # fmt: skip
    with pytest.raises(DataError, match=r"a\.jsonl` line 5, column 10: Expecting value.*`loader\.on_error=skip`\.$"):
        prepare(mmlm_core.compose(words))
    prepared = prepare(mmlm_core.compose([*words, "loader.on_error=skip"]))
    model = prepared.model
    options = LoaderOptions(batch_size=4, on_error=OnError.SKIP)
    loaders = make_loaders(
        {"train": prepared.source.read("train")}, model.processors(), model.head.target_processor(), options, 0
    )
    assert sum(batch.size for batch in loaders["train"]) == 10
    assert list(loaders["train"].faults) == ["a.jsonl:5"]


def test_nan_in_parquet_is_an_empty_cell(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"text": ["a", "b"], "score": [math.nan, 2.5]}), tmp_path / "a.parquet")
    assert [row.target for row in table(tmp_path / "a.parquet", target="score")] == [None, 2.5]
    parquet.write_table(pa.table({"text": ["a", "b"], "score": [math.nan, math.nan]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="has only empty cells in `score`, in all rows of the split `train`"):
        table(tmp_path / "b.parquet", target="score")


def test_a_broken_line_of_json_is_one_row_that_can_be_skipped(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"text": "a", "label": 1}\n{"text": \n{"text": "c", "label": 3}\n')
    rows = table(path)
    assert [rows[0].target, rows[2].target] == [1, 3]
    with pytest.raises(DataError, match=r"a\.jsonl` line 2, column 10: Expecting value"):
        rows[1]


def test_rows_of_one_group_are_in_one_split(tmp_path: Path) -> None:
    rows = [{"text": str(number), "speaker": f"s{number % 20}"} for number in range(200)]
    path = written(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    options = TableOptions(path=str(path), inputs={"text": "text"}, group_column="speaker", test_fraction=0.2)
    source = TableSource(options)
    speakers = [{int(row.inputs["text"][0]) % 20 for row in source.read(split)} for split in source.splits()]
    assert len(speakers) == 3 and sorted(speaker for group in speakers for speaker in group) == list(range(20))


def test_a_group_stays_where_it_is_when_others_come() -> None:
    few, more = (group_shares([f"s{n}" for n in range(count)], 0, 0.2, 0.2) for count in (300, 500))
    for split, share in few.items():
        assert share.tolist() == [row for row in more[split].tolist() if row < 300]


@pytest.mark.parametrize("groups", [None, [n // 3 for n in range(23)]])
def test_each_row_is_held_out_by_one_fold(groups: Sequence[int] | None) -> None:
    held = []
    for fold in range(4):
        shares = fold_shares(23, 7, 4, fold, 0.25, "test", groups)
        assert sorted(row for share in shares.values() for row in share.tolist()) == list(range(23))
        assert all(len(share) for share in shares.values())
        held.append(shares["test"].tolist())
        if groups:
            sides = [{groups[row] for row in share.tolist()} for share in shares.values()]
            assert len(set().union(*sides)) == sum(map(len, sides))
    assert sorted(row for fold in held for row in fold) == list(range(23))
    assert groups or {len(fold) for fold in held} == {5, 6}


def test_a_fold_is_the_test_or_the_validation_where_the_test_is_another_file(tmp_path: Path) -> None:
    path = write_table(tmp_path / "rows.csv")
    source = TableSource(TableOptions(path=str(path), folds=5, fold=2))
    sizes = {split: len(source.read(split)) for split in source.splits()}
    assert list(sizes) == ["train", "validation", "test"] and sizes["test"] == 2 and sum(sizes.values()) == 10
    source = TableSource(TableOptions(path=str(path), folds=5, fold=2, test=str(path)))
    assert {split: len(source.read(split)) for split in source.splits()} == {"train": 8, "validation": 2, "test": 10}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 5, "fold": 5}, "`fold` must be from 0 to 4, since there are 5 `folds`, not 5."),
        ({"folds": 1}, "`folds` must be at least 2, not 1."),
        (
            {"folds": 5, "validation": "a", "test": "b"},
            "`folds` holds out rows of `path`: `validation` or `test` must be left out for them.",
        ),
        (
            {"split_column": "a", "group_column": "b"},
            "`split_column` says each row's split: `group_column` and `folds` must be left out.",
        ),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        TableOptions(**options)
    assert str(caught.value) == message


def test_more_folds_than_rows_say_so() -> None:
    with pytest.raises(DataError, match=r"^3 rows cannot be divided into 4 folds: set a smaller `data\.folds`\.$"):
        fold_shares(3, 0, 4, 0, 0.0, "test")


def test_folds_are_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for fold, accuracy in enumerate((0.5, 0.7, 0.6)):
        metrics = {"accuracy": accuracy, "f1": None if fold == 1 else 0.5}
        written(tmp_path / str(fold) / "metrics_test.json", {"split": "test", "metrics": metrics})
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == (
        "metric     0      1      2      mean   deviation\naccuracy   0.500  0.700  0.600  0.600  0.100\n"
    )
    assert main([str(tmp_path / "0")]) == 1
    assert "has no runs that were tested" in capsys.readouterr().err
    assert summary({"0": {"f1": 0.25}}).endswith("f1       0.250  0.250  0.000")


def sources(folder: Path) -> dict[str, tuple[str, ...]]:
    """Write the same pictures and captions in three formats, and return the overrides that read each."""
    csv, inside = write_table(folder / "rows.csv"), write_table(folder / "rows.parquet")
    members = {}
    for number, caption in enumerate(CAPTIONS):
        members |= {f"{number}.png": (folder / f"{number}.png").read_bytes(), f"{number}.txt": caption.encode()}
    shard = tar_of(folder / "rows.tar", members)
    return {"csv": ("table", str(csv)), "parquet": ("table", str(inside)), "webdataset": ("webdataset", str(shard))}


def test_the_same_content_gives_the_same_batches_from_csv_parquet_and_webdataset(tmp_path: Path) -> None:
    batches: dict[str, Batch] = {}
    for name, (source, path) in sources(tmp_path).items():
        composition = mmlm_core.compose(
            [f"data={source}", f"data.path={path}", "data.validation_fraction=0", "data.test_fraction=0",
             "encoder/image=cnn", "head=captioning", "tokenizer=word", "backbone.width=16", "backbone.depth=1"]
        )  # fmt: skip
        prepared = prepare(composition)
        rows: list[Example] = list(prepared.source.read("train"))
        model = prepared.model
        batches[name] = collate_examples(rows, model.processors(), model.head.target_processor())
    first = batches["csv"]
    assert first.size == 10
    for other in batches.values():
        assert other.targets.keys() == first.targets.keys()
        for key, tensor in first.targets.items():
            assert torch.equal(tensor, other.targets[key])
        for key, tensor in first.inputs["image"].tensors.items():
            assert torch.equal(tensor, other.inputs["image"].tensors[key])


def test_every_specimen_is_of_a_source(tmp_path: Path) -> None:
    from mmlm_data.plugin import mmlm_components

    assert {*SPECIMENS, "mix"} == {component.name for component in mmlm_components()}
    assert all(issubclass(component.load(), DataSource) for component in mmlm_components())
