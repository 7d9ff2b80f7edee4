"""Bad data gives one error on the command line, which names its place."""

import io
import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from PIL import Image

import mmlm_core
from mmlm_core.cli.main import main
from mmlm_core.data import make_loaders
from mmlm_core.data.readable import readable
from mmlm_core.errors import DataError
from mmlm_core.plugins import load_plugins
from mmlm_core.record import record_start
from mmlm_core.run_reader import find_data, read_run
from mmlm_core.runs import create_run
from mmlm_core.settings import LoaderOptions, OnError
from mmlm_data.options import TableOptions
from mmlm_data.webdataset import WebDatasetSource
from mmlm_data.webdataset_options import WebDatasetOptions

Refused = Callable[..., str]

PICTURES = ["data.inputs.image=image", "data.target=caption", "encoder/image=cnn", "head=captioning"]
ALL = ["data.validation_fraction=0", "data.test_fraction=0"]
SKIP = "To leave such rows out: `loader.on_error=skip`."
SMALL = ["backbone.width=16", "backbone.depth=1", "trainer.max_steps=1", "trainer.accelerator=cpu", "tracker.wandb=off"]
EMPTY = "The corpus is empty: there is no text to train a tokenizer on."


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Refused:
    """Return what `mmlm train` refuses a composition with, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*argv: str) -> str:
        assert main(["train", *argv, *SMALL]) == 2
        told = capsys.readouterr().err
        return told.rpartition("error: ")[2].rstrip("\n")

    return run


def lines(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return f"data.path={name}"


def tar(name: str, members: Mapping[str, bytes]) -> str:
    with tarfile.open(name, "w") as file:
        for member, content in members.items():
            about = tarfile.TarInfo(member)
            about.size = len(content)
            file.addfile(about, io.BytesIO(content))
    return f"data.path={name}"


def picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (8, 8)).save(made, "PNG")
    return made.getvalue()


@pytest.mark.parametrize(("caption", "shown"), [(7, "7"), ({"a": [1]}, "{'a': [1]}"), (None, None)])
def test_a_column_without_texts_is_shown_by_its_first_rows(refused: Refused, caption: Any, shown: str | None) -> None:
    path = lines("a.jsonl", [{"image": f"{n}.png", "caption": caption} for n in range(4)])
    told = refused("data=table", path, *PICTURES, *ALL)
    if shown is None:
        assert told.startswith("`a.jsonl` has only empty cells in `caption`")
        return
    assert told == f"{EMPTY} 4 rows of `train` were read, as:" + "".join(
        f"\n- `a.jsonl:{n}`: `data.target=caption` is {shown}" for n in (1, 2, 3)
    )


def test_a_column_of_bytes_is_shown_too(refused: Refused) -> None:
    parquet.write_table(pa.table({"image": ["0.png"], "caption": [b"\x00\xff"]}), "a.parquet")
    told = refused("data=table", "data.path=a.parquet", *PICTURES, *ALL)
    assert told == f"{EMPTY} 1 row of `train` was read, as:\n- `a.parquet:1`: `data.target=caption` is b'\\x00\\xff'"


def test_rows_that_are_passed_over_are_counted_where_no_text_is_left(refused: Refused) -> None:
    path = tar("a.tar", {"0.png": picture(), "0.txt": b"\xff\xfe"})
    told = refused("data=webdataset", path, "data.inputs.image=png", "data.target=txt", *PICTURES[2:], *ALL,
                   "loader.on_error=skip")  # fmt: skip
    assert told.startswith(
        f"{EMPTY} 1 row cannot be used:\n- `a.tar/0`: `a.tar` has a member `0.txt` that cannot be read: "
    )


def test_rows_that_are_no_valid_unicode_are_counted_too(refused: Refused) -> None:
    path = lines("a.jsonl", [{"image": "0.png", "caption": "\ud83d"}] * 5)
    told = refused("data=table", path, *PICTURES, *ALL, "loader.on_error=skip")
    assert told == f"{EMPTY} 5 rows cannot be used:" + "".join(
        f"\n- `a.jsonl:{n}` (`data.target=caption`): A text must be valid Unicode: it has half a surrogate pair at 0."
        for n in (1, 2, 3)
    ) + "\n- and 2 more.\n5 rows of `train` were read, as:" + "".join(
        f"\n- `a.jsonl:{n}`: `data.target=caption` is '\\ud83d'" for n in (1, 2, 3)
    )


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "`a.tar` has no samples: there is no file in it with a name and an ending, as `0001.jpg`."),
        ({"0.foo": b""}, "`a.tar` has no column `png`, which `data.inputs.image` names.\n"
                         "`a.tar` has no column `txt`, which `data.target` names. Choices: `foo`."),
        ({"0.png": b""}, "`a.tar` has no column `txt`, which `data.target` names. Choices: `png`."),
    ],
)  # fmt: skip
def test_a_tar_without_what_is_wanted_is_told_by_its_members(
    refused: Refused, members: dict[str, bytes], message: str
) -> None:
    told = refused("data=webdataset", tar("a.tar", members), "data.inputs.image=png", "data.target=txt", *PICTURES[2:])
    assert told == message


def test_half_a_surrogate_pair_is_a_row_that_cannot_be_used(
    refused: Refused, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captions = [f"{n} is a number" for n in range(5)] + ["half \ud83d"]
    path = lines("a.jsonl", [{"text": caption, "caption": caption[0]} for caption in captions])
    words = ["data=table", path, *ALL, "encoder/text=embedding", "data.inputs.text=text", "data.target=caption",
             "head=classification", "backbone=gru"]  # fmt: skip
    assert refused(*words) == ("`a.jsonl:6` (`data.inputs.text=text`): A text must be valid Unicode: it has half a "
                               f"surrogate pair at 5. {SKIP}")  # fmt: skip
    with pytest.raises(SystemExit):
        main(["data", "check", *words])
    assert "1 row cannot be used" in capsys.readouterr().out


@pytest.mark.parametrize("caption", [3, ["a", 3], {"a": 1}])
def test_one_caption_that_is_no_text_is_named_with_its_column(refused: Refused, caption: Any) -> None:
    captions = ["a red house", "a house", caption]
    path = lines("a.jsonl", [{"image": f"{n}.png", "caption": said} for n, said in enumerate(captions)])
    Path("0.png").write_bytes(picture())
    for number in (1, 2):
        Path(f"{number}.png").write_bytes(picture())
    told = refused("data=table", path, *PICTURES, *ALL)
    assert told.startswith("`a.jsonl:3` (`data.target=caption`): ")
    assert told.endswith(SKIP)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("tagging", "The training targets must have at least two different tags, not 0."),
        ("regression", "The training targets must be numbers, as many in each row: none is a number."),
        ("classification", "The training targets must have at least two different labels; they have no label at all."),
    ],
)
def test_targets_that_a_head_makes_nothing_of_are_shown_with_their_column(
    refused: Refused, head: str, message: str
) -> None:
    path = lines("a.jsonl", [{"text": "a house", "it": {"n": n}} for n in range(2)])
    told = refused("data=table", path, *ALL, "data.inputs.text=text", "data.target=it", "encoder/text=embedding",
                   f"head={head}")  # fmt: skip
    assert told == f"{message} 2 rows of `train` were read, as:" + "".join(
        f"\n- `a.jsonl:{n + 1}`: `data.target=it` is {{'n': {n}}}" for n in range(2)
    )


def test_columns_and_files_are_checked_before_torch_is_imported(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("image,caption\n0.png,a house\n")
    code = ("import sys; from mmlm_core.cli.main import main; code = main(sys.argv[1:]); "
            "print(code, 'torch' in sys.modules)")  # fmt: skip
    given = ["data=table", "data.path=a.csv", "data.validation=b.csv", "data.inputs.image=image", "data.target=captoin",
             "data.groups=x", *PICTURES[2:]]  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code, "train", *given], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "2 False\n"
    assert done.stderr == (
        "error: 2 things are wrong:\n"
        "- `a.csv` has no column `captoin`, which `data.target` names. Did you mean `caption`?\n"
        "`a.csv` has no column `x`, which `data.groups` names. Choices: `caption`, `image`.\n"
        "- `b.csv` cannot be opened: No such file or directory.\n"
    )


@pytest.mark.slow
def test_two_processes_tell_a_bad_row_once(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(picture())
    rows = [json.dumps({"image": "0.png", "caption": ["a house", 3]}) for _ in range(8)]
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    words = ["data=table", "data.path=a.jsonl", *PICTURES, *ALL, *SMALL, "trainer.devices=2", "trainer.strategy=ddp"]
    done = subprocess.run([sys.executable, "-m", "mmlm_core.cli.main", "train", *words], cwd=tmp_path,
                          capture_output=True, text=True, timeout=300)  # fmt: skip
    assert done.returncode == 2
    assert re.fullmatch(r"error: `a\.jsonl:\d` \(`data\.target=caption`\): The target must be a text, not 3\. "
                        r"To leave such rows out: `loader\.on_error=skip`\.\n", done.stderr)  # fmt: skip


def test_a_run_finds_its_relative_data_from_other_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained, other = tmp_path / "trained", tmp_path / "other"
    trained.mkdir()
    other.mkdir()
    (trained / "a.csv").write_text("text,label\na,b\n")
    monkeypatch.chdir(trained)
    composition = mmlm_core.compose(["data=table", "data.path=a.csv", "encoder/text=embedding", "head=classification",
                                     f"run.folder={tmp_path / 'runs'}", "run.name=x", "tokenizer=byte"])  # fmt: skip
    folder = create_run(composition.settings.run)
    (folder.path / "tokenizer").mkdir()
    record_start(folder, composition, load_plugins(), [], None, {})
    monkeypatch.chdir(other)
    record = read_run(folder.path, trained=False)
    find_data(record, "go on there.")
    assert record.composition["data"].options.path == str(trained / "a.csv")
    (trained / "a.csv").unlink()
    with pytest.raises(DataError) as caught:
        find_data(read_run(folder.path, trained=False), "go on there.")
    assert str(caught.value) == ("`a.csv` cannot be opened: No such file or directory. The run was trained in "
                                 f"`{trained}`: go on there.")  # fmt: skip
    (other / "a.csv").write_text("text,label\na,b\n")
    record = read_run(folder.path, trained=False)
    find_data(record, "go on there.")
    assert record.composition["data"].options.path == "a.csv"


@pytest.mark.parametrize(
    ("path", "placed"),
    [("a.csv", True), ("*.csv", True), ("b.csv", False), ("b/*.csv", False), ("../there/{0..9}.tar", True)],
)
def test_a_path_is_placed_where_it_leads_somewhere(
    path: str, placed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "gone" / "here").mkdir(parents=True)
    (tmp_path / "there" / "a.csv").touch()
    monkeypatch.chdir(tmp_path / "gone" / "here")
    options = TableOptions(path=path, inputs={"text": "text"}, target="label")
    given = [path] if placed and path != "*.csv" else []  # a pattern begins in any folder
    assert options.place_files(tmp_path / "there") == given


def test_a_sample_of_a_tar_that_cannot_be_read_takes_no_other_with_it(tmp_path: Path) -> None:
    members = {f"{n}.{ending}": content for n in range(5) for ending, content in (("png", picture()), ("txt", b"red"))}
    path = tmp_path / "a.tar"
    tar(str(path), members | {"1.txt": b"\xff\xfe"})
    options = WebDatasetOptions(path=str(path), inputs={"image": "png"}, target="txt", validation_fraction=0.0,
                                test_fraction=0.0)  # fmt: skip
    rows = WebDatasetSource(options).read("train")
    assert [row.target for row in readable(rows, OnError.SKIP)] == ["red"] * 4
    told = "`a.tar/1`: `.*a.tar` has a member `1.txt` that cannot be read: "
    with pytest.raises(DataError, match=f"^{told}.*`loader.on_error=skip`.$"):
        list(readable(rows, OnError.RAISE))
    loader = make_loaders({"train": rows}, {}, None, LoaderOptions(batch_size=2, on_error=OnError.SKIP), 0)["train"]
    assert sum(batch.size for batch in loader) == 4
    assert list(loader.faults) == ["a.tar/1"]


def test_a_label_of_the_test_alone_is_refused_before_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, labels in {"train": ("a", "b", "a", "b"), "test": ("a", "c")}.items():
        rows = "".join(f"house {number},{label}\n" for number, label in enumerate(labels))
        Path(f"{name}.csv").write_text(f"text,label\n{rows}")
    assert main(["train", "data=table", "data.path=train.csv", "data.test=test.csv", "data.validation_fraction=0",
                 "encoder/text=embedding", "head=classification", *SMALL]) == 2  # fmt: skip
    told = capsys.readouterr()
    assert "`test.csv:2` (`data.target=label`): The label `c` is not in the training data." in told.err
    assert "trained" not in told.out
    assert not list(Path("runs").glob("*/*"))


def cut_shards(folder: Path) -> str:
    """Write two shards, the first of which breaks off in the sixth of its eight rows; return how to read them."""
    (folder / "shards").mkdir()
    for shard in range(2):
        members = {f"{8 * shard + row}.{ending}": content for row in range(8)
                   for ending, content in (("png", picture()), ("txt", b"red"))}  # fmt: skip
        tar(str(folder / "shards" / f"{shard}.tar"), members)
    first = folder / "shards" / "0.tar"
    first.write_bytes(first.read_bytes()[: 6 * 4 * 512 - 600])
    return f"data.path={folder / 'shards'}"


def test_a_training_leaves_out_the_end_of_a_shard_that_is_cut_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = cut_shards(tmp_path)
    monkeypatch.chdir(tmp_path)
    given = ["data=webdataset", path, *PICTURES[2:], "data.validation_fraction=0.4", *SMALL]
    assert main(["train", *given, "loader.on_error=skip"]) == 0
    assert "trained 1 steps" in capsys.readouterr().out


def test_a_preview_shows_what_is_whole_beside_what_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(json.dumps({"text": f"a house {n}"}) + "\n" for n in range(4))
    Path("a.jsonl").write_text(rows + '{"text": "a ho\n')
    for given, whole, fault in (
        (["data=webdataset", cut_shards(tmp_path), *PICTURES[2:]], 13, "cannot be read to its end"),
        (["data=table", "data.path=a.jsonl", "data.target=text", "head=language_modeling"], 4, "line 5, column"),
    ):
        assert main(["data", "preview", "--rows", "20", "--out", "page.html", *given, *ALL]) == 0
        shown = Path("page.html").read_text(encoding="utf-8")
        assert shown.count("<article>") == whole
        assert fault in shown.partition("Rows that cannot be used")[2]


def test_where_no_column_has_a_usual_name_those_that_there_are_are_listed(refused: Refused) -> None:
    Path("a.csv").write_text("path;caption\n0.png;a house\n")
    told = refused("data=table", "data.path=a.csv", "encoder/image=cnn", "head=captioning")
    assert told.count("Its columns: `path;caption`.") == 2


@pytest.mark.parametrize("inside", ["", "cat"])
def test_a_folder_without_files_of_media_is_refused_by_its_name(refused: Refused, inside: str) -> None:
    (Path("by_class") / inside).mkdir(parents=True)
    told = refused("data=folder", "data.path=by_class", "encoder/image=cnn", "head=classification")
    assert told.startswith("`by_class` has no file of pictures, sound or film.")
