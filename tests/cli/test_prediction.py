"""`mmlm eval`, `mmlm predict`, `mmlm generate`: what the arguments become; a predictor that echoes stands in."""

import io
import json
import subprocess
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mmlm_core.cli import generate_command, predict_command
from mmlm_core.composition import Composition
from mmlm_core.errors import DataError
from mmlm_core.plugins import Plugins
from mmlm_core.runs import RunFolder

Mmlm = Callable[..., tuple[int, str, str]]
Rows = Callable[..., list[dict[str, Any]]]


class Echo:
    """Predicts what it was given."""

    def __init__(self, composition: Composition) -> None:
        self.composition = composition

    def predict(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        return (dict(row) for row in rows)

    def stream(self, row: Mapping[str, Any], *, echo: bool) -> Iterator[str]:
        assert echo
        yield from (row["prompt"], " and", " so", " on")


class Loaded:
    """What was asked for, and the run that is loaded."""

    def __init__(self, toys: Plugins) -> None:
        self.asked: list[tuple[Path, list[str]]] = []
        self.toys = toys
        self.mapping: dict[str, Any] = {
            "encoder": {"image": {"name": "cnn"}, "text": {"name": "none"}}, "head": {"name": "captioning"},
            "data": {"name": "table", "inputs": {"image": "picture"}},
        }  # fmt: skip

    def read(self, run: Path, overrides: list[str]) -> types.SimpleNamespace:
        self.asked.append((run, overrides))
        composition = Composition.from_mapping(self.toys.registry, self.mapping)
        return types.SimpleNamespace(composition=composition, plugins=self.toys)


@pytest.fixture
def loaded(toys: Plugins, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    made = Loaded(toys)
    module = types.ModuleType("mmlm_core.prediction")
    module.loaded = lambda record: Echo(record.composition)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mmlm_core.prediction", module)
    for command in (predict_command, generate_command):
        monkeypatch.setattr(command, "read_run", made.read)
    return made


@pytest.fixture
def rows(mmlm: Mmlm, loaded: Loaded) -> Rows:
    """The rows that the arguments of `mmlm predict` become."""

    def read(*arguments: str) -> list[dict[str, Any]]:
        code, printed, errors = mmlm("predict", "runs/x", *arguments)
        assert (code, errors) == (0, "")
        return [json.loads(line) for line in printed.splitlines()]

    return read


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("b.png", "a.jpg", "more/c.png", "notes.txt", "odd.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("A note.\n")
    return tmp_path


def test_files_folders_and_patterns_become_rows(rows: Rows, folder: Path) -> None:
    assert rows("b.png", "odd.bin") == [{"key": "b.png", "image": "b.png"}, {"key": "odd.bin", "image": "odd.bin"}]
    assert [row["image"] for row in rows(".")] == ["a.jpg", "b.png", "more/c.png"]
    assert [row["image"] for row in rows("*.png", "**/c.*")] == ["b.png", "more/c.png"]


def test_a_folder_is_searched_for_the_endings_too_that_an_encoder_declares(rows: Rows, folder: Path) -> None:
    for name in ("scan.raw", "more/SCAN.RAW"):
        (folder / name).write_text("")
    assert [row["image"] for row in rows(".")] == ["a.jpg", "b.png", "more/SCAN.RAW", "more/c.png", "scan.raw"]


def test_overrides_stand_among_the_inputs(mmlm: Mmlm, loaded: Loaded, folder: Path) -> None:
    (folder / "a=b.png").write_text("")
    assert mmlm("predict", "runs/x", "decoding.beams=4", "a=b.png", "loader.batch_size=2")[0] == 0
    assert loaded.asked == [(Path("runs/x"), ["decoding.beams=4", "loader.batch_size=2"])]


def test_text_is_read_from_files_for_a_model_that_reads_text(rows: Rows, loaded: Loaded, folder: Path) -> None:
    loaded.mapping["encoder"] = {"text": {"name": "embedding"}}
    loaded.mapping["tokenizer"] = {"name": "char"}
    assert rows("notes.txt", "--text", "unused") == [{"key": "notes.txt", "text": "A note."}]
    assert rows("--text", "A fine film.") == [{"text": "A fine film."}]


def test_text_and_prompt_go_with_every_other_input(rows: Rows, folder: Path) -> None:
    assert rows("a.jpg", "b.png", "--text", "What is it?", "--prompt", "It is") == [
        {"key": name, "image": name, "text": "What is it?", "prompt": "It is"} for name in ("a.jpg", "b.png")
    ]


def test_json_lines_come_from_standard_input(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"image": "x.png"}\n\n{"image": ["y.png", "z.png"]}\n'))
    assert rows("-") == [{"image": "x.png"}, {"image": ["y.png", "z.png"]}]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_a_tables_columns_are_those_that_the_runs_data_names(rows: Rows, folder: Path, suffix: str) -> None:
    path = folder / "more" / f"table.{suffix}"
    records = [{"picture": "c.png", "prompt": "A"}, {"picture": "d.png", "prompt": "B"}]
    if suffix == "parquet":
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.Table.from_pylist(records), path)
    elif suffix == "jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    else:
        sign = "," if suffix == "csv" else "\t"
        path.write_text("\n".join(sign.join(row) for row in [("picture", "prompt"), *(r.values() for r in records)]))
    table = str(path.relative_to(folder))
    assert rows("--table", table) == [
        {"key": f"{table}:{index + 1}", "image": [f"more/{record['picture']}"], "prompt": record["prompt"]}
        for index, record in enumerate(records)
    ]


def test_a_tables_columns_can_be_named(rows: Rows, folder: Path) -> None:
    (folder / "t.csv").write_text("file,caption\na.jpg,x\n")
    (folder / "u.csv").write_text("image\na.jpg\n")
    assert rows("--table", "u.csv") == [{"key": "u.csv:1", "image": ["./a.jpg"]}]
    assert rows("--table", "t.csv", "--column", "image=file") == [{"key": "t.csv:1", "image": ["./a.jpg"]}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "There is nothing to predict for: give a file, a folder, `--table`, `--text`, `--prompt`, or `-` for JSON "
         "lines on standard input."),
        (["c.png"], "`c.png` is no file, folder or pattern that finds any. Did you mean `b.png`?"),
        ([""], "`` names no input: `.` is the present folder, and `--text` takes a text."),
        (["*.gif"], "`*.gif` is no file, folder or pattern that finds any."),
        (["notes.txt"], "`notes.txt` is no file that this model reads. It reads: `image`."),
        (["empty"], "`empty` has no file that this model reads. It reads: `image`."),
        (["t.csv"], "`t.csv` is a table: write `--table t.csv`."),
        (["--table", "tt.csv"], "`--table tt.csv` is no file. Did you mean `t.csv`?"),
        (["--table", "notes.txt"], "`notes.txt` must be a table. Endings: `.csv`, `.jsonl`, `.parquet`, `.tsv`."),
        (["--table", "t.csv"], "`t.csv` has no column `image`: name it with `--column image=COLUMN`. "
         "Columns: `pictures`."),
        (["--table", "t.csv", "--column", "image=picture"], "`t.csv` has no column `picture`: name it with "
         "`--column image=COLUMN`. Did you mean `pictures`? Columns: `pictures`."),
        (["--table", "t.csv", "--column", "imge=pictures"], "`--column imge=pictures` must read `MODALITY=COLUMN`. "
         "Did you mean `image`? It reads: `image`."),
        (["--table", "ragged.csv"], "`ragged.csv` row 2 has 3 cells and must have 2, one a column (picture, note): "
         "`a.jpg,x,y`."),
        (["--table", "bad.parquet"], "`bad.parquet` cannot be read as Parquet: "),
        (["--promt", "x"], "`--promt` is no flag of `mmlm predict`. Did you mean `--prompt`? Choices: `--column`, "
         "`--help`, `--out`, `--prompt`, `--table`, `--text`."),
    ],
)  # fmt: skip
def test_an_input_that_cannot_be_used_is_told(mmlm: Mmlm, loaded: Loaded, folder: Path, arguments: list[str],
                                              message: str) -> None:  # fmt: skip
    (folder / "empty").mkdir()
    (folder / "t.csv").write_text("pictures\na.jpg\n")
    (folder / "ragged.csv").write_text("picture,note\na.jpg,x\na.jpg,x,y\n")
    (folder / "bad.parquet").write_text("PAR0")
    code, _, errors = mmlm("predict", "runs/x", *arguments)
    assert code == 2
    assert errors.startswith(f"error: {message}")
    assert message.endswith(": ") or errors == f"error: {message}\n"


@pytest.mark.parametrize(("content", "message"), [
    (b"\n", 'standard input has no rows: give lines of JSON, as `{"image": "cat.png"}`.'),
    (b'{"image": "\xff"}\n', "standard input is no text in UTF-8: the byte 0xFF is not valid there."),
    (b'{"image": "a.jpg"}\n{"image\n', "line 2 of standard input is no JSON: Invalid control character at."),
])  # fmt: skip
def test_standard_input_that_cannot_be_read_is_told(mmlm: Mmlm, loaded: Loaded, monkeypatch: pytest.MonkeyPatch,
                                                    content: bytes, message: str) -> None:  # fmt: skip
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))
    code, _, errors = mmlm("predict", "runs/x", "-")
    assert (code, errors) == (2, f"error: {message}\n")


def test_standard_input_is_utf_8_whatever_the_locale_is(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    content = '\ufeff{"image": "猫.png"}\n'.encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))
    assert rows("-") == [{"image": "猫.png"}]
    assert not sys.stdin.buffer.closed


def test_an_empty_cell_is_no_file(rows: Rows, folder: Path) -> None:
    (folder / "t.csv").write_text("picture,note\na.jpg,x\n,y\n")
    assert rows("--table", "t.csv") == [{"key": "t.csv:1", "image": ["./a.jpg"]}, {"key": "t.csv:2"}]


def test_an_input_that_cannot_be_used_leaves_the_prompt_unwritten(
    mmlm: Mmlm, loaded: Loaded, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stream(self: Echo, row: Mapping[str, Any], *, echo: bool) -> Iterator[str]:
        raise DataError("torn.")
        yield ""

    monkeypatch.setattr(Echo, "stream", stream)
    assert mmlm("generate", "runs/x", "b.png", "--prompt", "It") == (2, "", "error: torn.\n")


def test_predictions_are_written_to_a_file(mmlm: Mmlm, loaded: Loaded, folder: Path) -> None:
    assert mmlm("predict", "runs/x", "b.png", "--out", "made/out.jsonl") == (
        0,
        "",
        "note: `made/out.jsonl` has 1 prediction.\n",
    )
    assert (folder / "made" / "out.jsonl").read_text() == '{"key": "b.png", "image": "b.png"}\n'


def test_predictions_never_take_the_place_of_their_inputs(mmlm: Mmlm, loaded: Loaded, folder: Path) -> None:
    before = (folder / "b.png").read_bytes()
    assert mmlm("predict", "runs/x", "b.png", "--out", "./b.png") == (
        2, "", "error: `--out b.png` is one of the inputs: it would be lost. Write to another file.\n",
    )  # fmt: skip
    assert (folder / "b.png").read_bytes() == before


def test_what_a_file_held_stays_until_the_predictions_are_complete(
    mmlm: Mmlm, loaded: Loaded, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "out.jsonl").write_text("yesterday's")
    assert mmlm("predict", "runs/x", "none.png", "--out", "out.jsonl")[0] == 2
    assert (folder / "out.jsonl").read_text() == "yesterday's" and not (folder / "out.jsonl.part").exists()

    def predict(self: Echo, rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        yield next(iter(rows))
        raise DataError("torn.")

    monkeypatch.setattr(Echo, "predict", predict)
    assert mmlm("predict", "runs/x", "b.png", "--out", "out.jsonl") == (2, "", "error: torn.\n")
    assert (folder / "out.jsonl").read_text() == "yesterday's"
    assert (folder / "out.jsonl.part").read_text() == '{"key": "b.png", "image": "b.png"}\n'


def test_one_input_is_written_as_it_is_generated(mmlm: Mmlm, loaded: Loaded, folder: Path) -> None:
    assert mmlm("generate", "runs/x", "b.png", "--prompt", "It goes on") == (0, "It goes on and so on\n", "")


def test_several_inputs_are_generated_as_json_lines(mmlm: Mmlm, loaded: Loaded, folder: Path) -> None:
    code, printed, _ = mmlm("generate", "runs/x", "b.png", "a.jpg")
    assert code == 0
    assert [json.loads(line)["key"] for line in printed.splitlines()] == ["b.png", "a.jpg"]


def test_a_head_that_does_not_generate_is_told(mmlm: Mmlm, loaded: Loaded, folder: Path) -> None:
    loaded.mapping["head"] = {"name": "classification"}
    assert mmlm("generate", "runs/x", "b.png") == (
        2, "", "error: `head=classification` of runs/x generates nothing: use `mmlm predict`.\n"
    )  # fmt: skip


def test_eval_prints_the_metrics_of_a_split(mmlm: Mmlm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[object] = []

    def evaluate(record: Any, *, split: str, overrides: list[str]) -> dict[str, float]:
        asked.append((record.folder.path, split, overrides))
        return {"loss": 1.25, "bleu": 0.5}

    module = types.ModuleType("mmlm_core.evaluation")
    module.evaluate = evaluate  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mmlm_core.evaluation", module)
    monkeypatch.setattr(
        "mmlm_core.cli.eval_command.read_run", lambda run, overrides: types.SimpleNamespace(folder=RunFolder(run))
    )
    assert mmlm("eval", "runs/x", "--split", "validation", "decoding.beams=4", "--json") == (
        0, '{"loss": 1.25, "bleu": 0.5}\n',
        "note: the run's own figures stay; these are in `runs/x/evaluations/decoding.beams=4`.\n",
    )  # fmt: skip
    assert asked == [(Path("runs/x"), "validation", ["decoding.beams=4"])]
    monkeypatch.chdir(tmp_path)
    folder = RunFolder(Path("runs/x"))
    folder.path.mkdir(parents=True)
    told = {"rows": 3, "metrics": {"loss": 1.25, "bleu": 50.5}, "controls": {"shuffled inputs": {"loss": 2}}, "skipped": {"a": ""},
            "groups": {"ripe": {"rows": 2, "bleu": 1}}, "cut": "2 of 3 rows are longer."}  # fmt: skip
    inputs = [{"modality": "text", "kind": "text", "value": "One\n\ntwo " + "and " * 99}]
    rows = [{"inputs": inputs, "prompt": None, "reference": "ham", "prediction": "spam", "right": False}]
    folder.evaluation("test").write_text(json.dumps(told))
    folder.samples("test").write_text(json.dumps({"rows": rows}))
    assert [line.rstrip() for line in mmlm("eval", "runs/x")[1].splitlines()] == [
        "",
        "on `test`, 3 rows, 1 more could not be used",
        "      the model  shuffled inputs",
        "loss      1.250                2",
        "bleu     50.500",
        "Beside it, controls that have not looked: one answer for all; inputs of other rows.",
        "2 of 3 rows are longer.",
        "groups",
        "      ripe",
        "rows     2",
        "bleu     1",
        "samples",
        "  input" + " " * 70 + "reference  prediction",
        "  One / two" + " and" * 15 + " an…  ham        spam",
        "",
        "report: runs/x/report.html",
    ]


@pytest.mark.parametrize("command", ["predict", "generate", "eval"])
def test_a_run_that_is_not_there_is_told_without_torch(tmp_path: Path, command: str) -> None:
    code = "import sys; from mmlm_core.cli.main import main; print(main(sys.argv[1:]), 'torch' in sys.modules)"
    words = [sys.executable, "-c", code, command, str(tmp_path / "nowhere")]
    words += [] if command == "eval" else ["cat.png"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr.startswith("error: ")) == ("2 False\n", True)
