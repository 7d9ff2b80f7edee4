from __future__ import annotations

import csv
import json
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmlm_core.errors import DataError, OptionError
from mmlm_core.options import option_docs, typed
from mmlm_core.types import Example
from mmlm_data.options import TableOptions
from mmlm_data.plugin import mmlm_components
from mmlm_data.splits import hashed_shares
from mmlm_data.table import TableSource


def read(path: Path, split: str = "train", **options: Any) -> Sequence[Example]:
    options = {"validation_fraction": 0.0, "test_fraction": 0.0, **options}
    return TableSource(TableOptions(path=str(path), **options)).read(split)


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def error_of(path: Path, **options: Any) -> str:
    """Return the message of the error that reading gives, with the file's folder cut off."""
    with pytest.raises(DataError) as caught:
        list(read(path, **{"inputs": {"text": "text"}, "target": "label", **options}))
    return str(caught.value).replace(f"{path.parent}/", "")


ROWS = [("我爱吃苹果", "food"), ('she said "no",\nand left', "talk"), ("ünïcödé 🎉", "café")]


def as_csv(rows: Sequence[tuple[str, ...]], names: Sequence[str], delimiter: str = ",") -> str:
    import io

    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([names, *rows])
    return file.getvalue()


def write_rows(folder: Path, suffix: str) -> Path:
    objects = [{"text": text, "label": label} for text, label in ROWS]
    path = folder / f"rows{suffix}"
    if suffix in (".csv", ".tsv"):
        return written(path, as_csv(ROWS, ("text", "label"), "," if suffix == ".csv" else "\t"))
    if suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(objects), path)
        return path
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in objects)
    return written(path, lines + "\n" if suffix == ".jsonl" else json.dumps(objects))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".json", ".parquet"])
def test_every_format_gives_the_same_rows(tmp_path: Path, suffix: str) -> None:
    path = write_rows(tmp_path, suffix)
    rows = read(path, inputs={"text": "text"}, target="label")
    assert [(row.inputs, row.target) for row in rows] == [({"text": [text]}, label) for text, label in ROWS]
    assert [row.key for row in rows] == [f"rows{suffix}:1", f"rows{suffix}:2", f"rows{suffix}:3"]


def test_json_lines_may_have_the_ending_json(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", '{"text": "a"}\n\n{"text": "b"}')
    assert [row.inputs["text"] for row in read(path, inputs={"text": "text"})] == [["a"], ["b"]]


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=6))
def test_any_text_that_csv_can_hold_is_read_as_python_reads_it(
    tmp_path_factory: Any, rows: list[tuple[str, str]]
) -> None:
    content = as_csv([(f"x{a}", f"y{b}") for a, b in rows], ("text", "label"))
    path = written(tmp_path_factory.mktemp("csv") / "a.csv", content)
    found = read(path, inputs={"text": "text"}, target="label")
    assert [(row.inputs["text"], row.target) for row in found] == [([f"x{a}"], f"y{b}") for a, b in rows]


def test_cells_of_a_csv_are_text_exactly_as_they_stand(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,label\n01,NA\nnull,1e3\n true ,2020-01-01\n")
    rows = read(path, inputs={"text": "text"}, target="label")
    assert [(row.inputs["text"], row.target) for row in rows] == [
        (["01"], "NA"),
        (["null"], "1e3"),
        ([" true "], "2020-01-01"),
    ]


def test_json_and_parquet_keep_numbers_as_targets(tmp_path: Path) -> None:
    lines = written(tmp_path / "a.jsonl", '{"text": "a", "label": 3}\n{"text": "b", "label": 2.5}\n')
    assert [row.target for row in read(lines, inputs={"text": "text"}, target="label")] == [3, 2.5]


def test_an_empty_cell_is_no_item_and_no_target(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 'picture,text,label\n,a,\nb.png,"",x\n')
    rows = read(path, inputs={"image": "picture", "text": "text"}, target="label")
    assert [(row.inputs, row.target) for row in rows] == [
        ({"image": [], "text": ["a"]}, None),
        ({"image": [str(tmp_path / "b.png")], "text": []}, "x"),
    ]


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    path = written(tmp_path / "set" / "a.csv", "picture\nimages/b.png\n/elsewhere/c.png\n")
    assert [row.inputs["image"] for row in read(path, inputs={"image": "picture"})] == [
        [str(tmp_path / "set/images/b.png")],
        ["/elsewhere/c.png"],
    ]


def test_pictures_inside_parquet_come_as_bytes_or_as_datasets_stores_them(tmp_path: Path) -> None:
    stored = [{"bytes": b"PNG", "path": "x.png"}, {"bytes": None, "path": "y.png"}, {"bytes": None, "path": None}, None]
    plain = [b"1", b"22", b"", None]
    parquet.write_table(pa.table({"stored": stored, "plain": pa.array(plain)}), tmp_path / "a.parquet")
    rows = read(tmp_path / "a.parquet", inputs={"image": "stored", "photo": "plain"})
    assert [row.inputs["image"] for row in rows] == [[stored[0]], [str(tmp_path / "y.png")], [], []]
    assert [row.inputs["photo"] for row in rows] == [[b"1"], [b"22"], [], []]


def test_several_columns_and_lists_in_cells_are_several_items_in_order(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"a": "1", "b": ["2", null, "3"], "refs": ["x", "y"], "say": "z"}\n')
    [row] = read(path, inputs={"text": ["a", "b"]}, target="refs", prompt="say")
    assert row.inputs["text"] == ["1", "2", "3"]
    assert row.target == ["x", "y"]
    assert row.prompt == "z"


def test_rows_pickle_slice_and_index_like_a_list(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text\n" + "".join(f"{i}\n" for i in range(9)))
    rows = read(path, inputs={"text": "text"})
    again = pickle.loads(pickle.dumps(rows))
    assert list(again) == list(rows)
    assert [row.inputs["text"] for row in rows[2:4]] == [["2"], ["3"]]
    assert rows[-1].key == "a.csv:9"
    with pytest.raises(IndexError):
        rows[9]


def test_a_limit_takes_the_first_rows_of_each_split(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text\n" + "".join(f"{i}\n" for i in range(9)))
    assert [row.key for row in read(path, inputs={"text": "text"}, limit=2)] == ["a.csv:1", "a.csv:2"]


def test_fractions_divide_all_rows_and_the_seed_makes_another_division(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text\n" + "".join(f"{i}\n" for i in range(1000)))
    divisions = []
    for seed in (0, 1):
        source = TableSource(TableOptions(path=str(path), inputs={"text": "text"}, split_seed=seed))
        assert source.splits() == ["train", "validation", "test"]
        keys = [[row.key for row in source.read(split)] for split in source.splits()]
        assert sorted(key for split in keys for key in split) == sorted(f"a.csv:{i + 1}" for i in range(1000))
        assert all(70 <= len(split) <= 130 for split in keys[1:])
        divisions.append(keys)
    assert divisions[0] != divisions[1]


def test_rows_added_at_the_end_leave_the_division_as_it_was() -> None:
    few, more = hashed_shares(500, 0, 0.1, 0.1), hashed_shares(900, 0, 0.1, 0.1)
    for split, share in few.items():
        assert share.tolist() == [row for row in more[split].tolist() if row < 500]


@pytest.mark.parametrize("rows", range(3, 30))
def test_few_rows_still_give_every_split_one(rows: int) -> None:
    shares = hashed_shares(rows, 0, 0.1, 0.1)
    assert sorted(np.concatenate(list(shares.values())).tolist()) == list(range(rows))
    assert all(len(share) for share in shares.values())


def test_a_split_may_have_its_own_file(tmp_path: Path) -> None:
    train = written(tmp_path / "a.csv", "text\n1\n2\n3\n")
    (tmp_path / "more").mkdir()
    dev = written(tmp_path / "more" / "dev.jsonl", '{"text": "4"}\n')
    options = TableOptions(path=str(train), validation=str(dev), test_fraction=0.0, inputs={"text": "text"})
    source = TableSource(options)
    assert source.splits() == ["train", "validation"]
    assert [row.key for row in source.read("validation")] == ["dev.jsonl:1"]
    assert len(source.read("train")) == 3


def test_a_test_file_alone_is_enough_to_evaluate(tmp_path: Path) -> None:
    source = TableSource(TableOptions(test=str(written(tmp_path / "t.csv", "text\n1\n")), inputs={"text": "text"}))
    assert source.splits() == ["test"]
    assert len(source.read("test")) == 1


def test_a_column_may_say_the_split(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,part\n1,train\n2,dev\n3,Train\n")
    source = TableSource(TableOptions(path=str(path), split_column="part", inputs={"text": "text"}))
    assert source.splits() == ["train", "validation"]
    assert [row.key for row in source.read("train")] == ["a.csv:1", "a.csv:3"]


def test_a_split_column_with_another_word_says_which_row(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,part\n1,train\n2,tset\n")
    source = TableSource(TableOptions(path=str(path), split_column="part", inputs={"text": "text"}))
    with pytest.raises(DataError) as caught:
        source.splits()
    assert str(caught.value) == (
        "`a.csv:2`: The column `part` must name a split, not 'tset'. Did you mean `test`? "
        "Choices: `dev`, `test`, `testing`, `train`, `training`, `val`, `valid`, `validation`."
    )


@pytest.mark.parametrize(
    ("encoding", "label"), [("utf-8-sig", "猫"), ("utf-16", "猫"), ("gb18030", "猫"), ("latin-1", "café")]
)
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_named_encoding_is_read(tmp_path: Path, encoding: str, label: str, suffix: str) -> None:
    content = (
        f"text,label\n1,{label}\n"
        if suffix == ".csv"
        else json.dumps({"text": "1", "label": label}, ensure_ascii=False)
    )
    path = written(tmp_path / f"a{suffix}", content.encode(encoding))
    assert [row.target for row in read(path, inputs={"text": "text"}, target="label", encoding=encoding)] == [label]


def test_a_byte_order_mark_of_utf_8_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,label\n1,2\n".encode("utf-8-sig"))
    assert len(read(path, inputs={"text": "text"}, target="label")) == 1


BAD = {
    "empty.csv": (b"", "`empty.csv` is empty: zero bytes."),
    "header.csv": (b"text,label\n", "`header.csv` has no rows."),
    "blank.csv": (
        b"\ntext,label\n1,2\n",
        "`blank.csv` must begin with a line of column names; its first line is empty.",
    ),
    "a.csv": (
        b"txt,label,note\n1,2,3\n",
        "`a.csv` has no column `text`, which `data.inputs.text` names. Did you mean `txt`? "
        "Choices: `label`, `note`, `txt`.",
    ),
    "both.csv": (
        b"x,y\n1,2\n",
        "`both.csv` has no column `text`, which `data.inputs.text` names.\n"
        "`both.csv` has no column `label`, which `data.target` names. Choices: `x`, `y`.",
    ),
    "ragged.csv": (
        b'text,label\n"1\n",2\n3\n',
        "`ragged.csv` row 2 has 1 cells and must have 2, one a column (text, label): `3`.",
    ),
    "wide.csv": (
        b"text,label\n1,2\n3,4,5\n",
        "`wide.csv` row 2 has 3 cells and must have 2, one a column (text, label): `3,4,5`.",
    ),
    "quote.csv": (b'text,label\n1,2\n3,"4\n5,6\n', "`quote.csv` row 2: unexpected end of data. Is a quote missing?"),
    "twice.csv": (b"text,label,text\n1,2,3\n", "`twice.csv` has 2 columns named `text`: rename all but one."),
    "latin.csv": (
        "text,label\n1,café\n".encode("latin-1"),
        "`latin.csv` is not in UTF-8: the byte 0xE9 at offset 16 is not valid there. Say its encoding, as "
        "`data.encoding=gb18030` (Chinese) or `data.encoding=latin-1` (Western European), or convert it: "
        "`iconv -f GB18030 -t UTF-8 latin.csv > new.csv`.",
    ),
    "wide16.csv": (
        "text,label\n1,2\n".encode("utf-16"),
        "`wide16.csv` is not in UTF-8 but, by its first bytes, in UTF-16 (zero byte at offset 3). Say "
        "`data.encoding=utf-16`, or convert it: `iconv -f UTF-16 -t UTF-8 wide16.csv > new.csv`.",
    ),
    "zero.csv": (b"text,label\n1,a\0b\n", "`zero.csv` is no text: it has a zero byte at offset 14."),
    "semicolons.csv": (
        b"text;label\n1;2\n",
        "`semicolons.csv` has no column `text`, which `data.inputs.text` names.\n"
        "`semicolons.csv` has no column `label`, which `data.target` names. Did you mean `text;label`? Choices: `text;label`. "
        "Are they divided by ';'? It must be by commas, or by tabs in a .tsv.",
    ),
    "targetless.csv": (
        b"text,label\n1,\n2,\n",
        "`targetless.csv` has only empty cells in `label`, in all rows of the split `train`: there is nothing to learn "
        "to say.",
    ),
    "a.jsonl": (
        b'{"text": "1"}\n\n{"text": 2,}\n',
        '`a.jsonl` line 3, column 12: Expecting property name enclosed in double quotes: `{"text": 2,}`.',
    ),
    "list.jsonl": (b'["a"]\n', "`list.jsonl` line 1 must be an object of columns and values, not ['a']."),
    "broken.json": (b'[{"text": "a"},\n {"text" 3}]', "`broken.json` line 2, column 10: Expecting ':' delimiter."),
    "strings.json": (b'["a"]', "`strings.json` row 1 must be an object of columns and values, not 'a'."),
    "none.json": (b"[]", "`none.json` has no rows."),
    "number.jsonl": (
        b'{"text": "a", "label": 1}\n{"text": 5, "label": 1}\n',
        "`number.jsonl:2`: The column `text` must hold texts, not 5 (int).",
    ),
    "a.xlsx": (
        b"x",
        "`a.xlsx` cannot be read by its ending `.xlsx`. Choices: `.arrow`, `.csv`, `.feather`, `.json`, `.jsonl`, "
        "`.ndjson`, `.parquet`, `.pq`, `.tab`, `.tsv`.",
    ),
    "hollow.csv": (
        b"text,label\n,1\n,2\n",
        "`hollow.csv` has only empty cells in `text`, in all rows of the split `train`.",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_says_what_is_wrong_and_where(tmp_path: Path, name: str) -> None:
    content, message = BAD[name]
    assert error_of(written(tmp_path / name, content)) == message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert error_of(tmp_path / "no.csv") == "`no.csv` cannot be opened: No such file or directory."


def test_a_wrong_encoding_says_the_offset(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", b"text,label\n1,\xff\xff\n")
    assert error_of(path, encoding="gb18030") == (
        "`a.csv` is not in the encoding `gb18030`, which `data.encoding` names: "
        "the byte 0xFF at offset 13 is not valid there."
    )


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    message = error_of(written(tmp_path / "a.parquet", b"PAR1 not at all"))
    assert message.startswith("`a.parquet` cannot be read as Parquet: ")  # the reason is pyarrow's


def test_parquet_with_one_name_twice_is_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    parquet.write_table(table, tmp_path / "a.parquet")
    assert error_of(tmp_path / "a.parquet") == "`a.parquet` has 2 columns named `text`: rename all but one."


def test_nothing_mapped_and_no_path_and_no_split_say_so(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "x\n1\n2\n3\n")
    with pytest.raises(
        DataError, match=r"^`data=table` maps no column: say, as an example, `data\.inputs\.text=COLUMN`\.$"
    ):
        read(path)
    with pytest.raises(DataError, match=r"^`data\.path` must name a file, as `data\.path=captions\.csv`\.$"):
        TableSource(TableOptions(inputs={"text": "text"})).splits()
    with pytest.raises(
        DataError, match=r"^`data=table` has no split `tests`\. Did you mean `test`\? Choices: `train`\.$"
    ):
        read(path, "tests", inputs={"text": "x"})
    with pytest.raises(DataError, match=r"^2 rows cannot be divided into 3 splits: name files with `data\.validation`"):
        hashed_shares(2, 0, 0.1, 0.1)


def test_a_row_longer_than_pyarrows_usual_block_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 'text\n"' + "x\n" * 2_000_000 + '"\ny\n')
    assert [len(row.inputs["text"][0]) for row in read(path, inputs={"text": "text"})] == [4_000_000, 1]


OPTIONS = [
    ({"validation_fraction": 1.5}, "`validation_fraction` must be from 0 to 1, not 1.5."),
    (
        {"validation_fraction": 0.5, "test_fraction": 0.5},
        "`validation_fraction` and `test_fraction` must leave rows to train on, not sum up to 1.",
    ),
    ({"limit": 0}, "`limit` must be at least 1, not 0."),
    (
        {"encoding": "utf-9"},
        "`encoding` must be one that Python knows, as `utf-8`, `utf-16`, `gb18030`, `latin-1`, not `utf-9`.",
    ),
    (
        {"split_column": "a", "test": "b.csv"},
        "`split_column` must be left out where `validation` or `test` names a file of its own.",
    ),
    (
        {"encoding": "base64"},
        "`encoding` must be one that Python knows, as `utf-8`, `utf-16`, `gb18030`, `latin-1`, not `base64`.",
    ),
    ({"inputs": {"text": 3}}, "`inputs.text` must be a column or a list of columns, not 3."),
]


@pytest.mark.parametrize(("options", "message"), OPTIONS)
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        TableOptions(**options)
    assert str(caught.value) == message


def test_the_traits_follow_the_mapping() -> None:
    [component] = [component for component in mmlm_components() if component.name == "table"]
    options = typed(
        TableOptions, {"inputs": {"image": "a", "text": ["b", "c"], "audio": None}, "target": "d"}, "data", "t"
    )
    assert component.traits_for(options).provides == {"input:image", "input:text", "target", "target:any"}
    assert component.traits_for(TableOptions()).provides == frozenset()
    assert component.load() is TableSource


def test_every_option_has_a_doc() -> None:
    assert all(option_docs(TableOptions).values())


def test_declaring_imports_neither_torch_nor_pyarrow() -> None:
    heavy = "{'torch', 'pyarrow', 'numpy'} & set(sys.modules)"
    code = f"import sys, mmlm_data.plugin as p; p.mmlm_components(); print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("suffix", ["csv", "tab", "json", "jsonl", "pq"])
def test_a_file_to_predict_for_is_opened_whole_and_without_targets(tmp_path: Path, suffix: str) -> None:
    records = [{"a": "1.png", "b": "2.png", "q": "Which?"}, {"a": "", "b": "3.png", "q": "Why?"}]
    path = tmp_path / f"rows.{suffix}"
    if suffix == "pq":
        parquet.write_table(pa.Table.from_pylist(records), path)
    elif suffix.startswith("json"):
        lines = [json.dumps(record) for record in records]
        path.write_text("\n".join(lines) if suffix == "jsonl" else f"[{', '.join(lines)}]")
    else:
        sign = "\t" if suffix == "tab" else ","
        path.write_text("\n".join(sign.join(row) for row in [records[0], *(r.values() for r in records)]))
    source = TableSource(TableOptions(path="of-the-training.csv", target="caption"))
    assert source.columns(path) == ["a", "b", "q"]
    rows = source.open(path, {"image": ["a", "b"]}, "q")
    assert [[Path(item).name for item in row.inputs["image"]] for row in rows] == [["1.png", "2.png"], ["3.png"]]
    assert [(row.target, row.prompt) for row in rows] == [(None, "Which?"), (None, "Why?")]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".arrow"])
def test_targets_by_themselves_are_those_of_the_rows(tmp_path: Path, suffix: str) -> None:
    """Of several files, of batches of any size, of each split, with cells that are empty."""
    for name, count in (("a", 23), ("b", 1), ("c", 40)):
        labels = [None if number % 7 == 0 else f"{name}{number}" for number in range(count)]
        table = pa.table({"text": ["x"] * count, "label": pa.array(labels, pa.string())})
        path = tmp_path / f"{name}{suffix}"
        if suffix == ".parquet":
            parquet.write_table(table, path, row_group_size=6)
        elif suffix == ".arrow":
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table, max_chunksize=6)
        elif suffix == ".csv":
            path.write_text("text,label\n" + "".join(f"x,{label or ''}\n" for label in labels))
        else:
            path.write_text("".join(json.dumps({"text": "x", "label": label}) + "\n" for label in labels))
    source = TableSource(TableOptions(path=str(tmp_path), inputs={"text": "text"}, target="label"))
    for split in source.splits():
        rows = source.read(split)
        assert list(rows.targets()) == [row.target for row in rows]
        assert list(rows[1:4].targets()) == [row.target for row in rows[1:4]]


def test_the_targets_of_files_are_paths(tmp_path: Path) -> None:
    written(tmp_path / "rows.csv", "text,mask\nx,a.png\nx,\n")
    options = TableOptions(path=str(tmp_path / "rows.csv"), inputs={"text": "text"}, target="mask", target_files=True,
                           validation_fraction=0, test_fraction=0)  # fmt: skip
    assert list(TableSource(options).read("train").targets()) == [str(tmp_path / "a.png"), None]
