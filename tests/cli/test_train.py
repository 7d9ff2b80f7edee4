"""`mmlm train` up to the training itself: composing, checking, showing, sweeping."""

import errno
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mmlm_core.composition import Composition
from mmlm_core.errors import DataError
from mmlm_core.files import write_json, write_yaml
from mmlm_core.runs import RunFolder

Mmlm = Callable[..., tuple[int, str, str]]


def stand_in(monkeypatch: pytest.MonkeyPatch, **functions: object) -> None:
    """Put functions in the place of the training's."""
    training = types.ModuleType("mmlm_core.training")
    vars(training).update(functions)
    monkeypatch.setitem(sys.modules, "mmlm_core.training", training)


def test_the_defaults_are_trained(mmlm: Mmlm, trained: list[Composition]) -> None:
    assert mmlm("train", "encoder/image=cnn") == (0, "", "")
    names = {slot: choice.component.name for slot, choice in trained[0].choices.items()}
    assert names == {
        "data": "emoji", "tokenizer": "bpe", "encoder/image": "cnn", "projection/image": "linear", "fusion": "concat",
        "backbone": "transformer", "head": "captioning", "optimizer": "adamw", "schedule": "cosine",
    }  # fmt: skip


def test_an_option_is_typed_by_its_dataclass(mmlm: Mmlm, trained: list[Composition]) -> None:
    assert mmlm("train", "backbone=gru", "backbone.layers=2", "backbone.dropout=1", "backbone.cell=plain")[0] == 0
    options = trained[0]["backbone"].options
    assert (options.layers, options.dropout, options.cell.value) == (2, 1.0, "plain")
    assert type(options.dropout) is float


def test_an_option_that_is_a_mapping_takes_new_keys(mmlm: Mmlm, trained: list[Composition]) -> None:
    assert mmlm("train", "data=table", "data.inputs.image=file", "encoder/image=cnn")[0] == 0
    assert trained[0]["data"].options.inputs == {"image": "file"}


def test_hydra_makes_no_folder_and_no_log(mmlm: Mmlm, trained: list[Composition], tmp_path: Path,
                                          monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert mmlm("train", "encoder/image=cnn")[0] == 0
    assert list(tmp_path.iterdir()) == []


def test_cfg_prints_a_configuration_that_composes_to_the_same(mmlm: Mmlm, trained: list[Composition],
                                                              toys: object) -> None:  # fmt: skip
    arguments = ("train", "backbone=gru", "backbone.cell=plain", "encoder/image=cnn", "trainer=debug")
    mmlm(*arguments)
    code, printed, errors = mmlm(*arguments, "--cfg", "job")
    assert (code, errors) == (0, "")
    assert yaml.safe_load(printed) == trained[0].to_mapping()


def test_cfg_prints_a_part(mmlm: Mmlm) -> None:
    code, printed, _ = mmlm("train", "backbone=gru", "--cfg", "job", "--package", "backbone")
    assert code == 0
    assert printed == "name: gru\nwidth: 16\nlayers: 1\ndropout: 0.0\ncell: gated\nreverse: false\n"


def test_cfg_resolves_only_where_it_is_asked_to(mmlm: Mmlm) -> None:
    arguments = ("train", "backbone=gru", "backbone.layers=${run.seed}", "run.seed=3", "--cfg=job", "-p", "backbone")
    assert "layers: ${run.seed}\n" in mmlm(*arguments)[1]
    assert "layers: 3\n" in mmlm(*arguments, "--resolve")[1]


def test_a_modality_that_is_not_read_has_no_projection(mmlm: Mmlm) -> None:
    printed = yaml.safe_load(mmlm("train", "encoder/image=cnn", "--cfg", "job")[1])
    assert printed["projection"] == {"image": {"name": "linear"}}
    assert printed["encoder"] == {"image": {"name": "cnn", "width": 8, "path": ""}}


def test_info_is_hydras_own(mmlm: Mmlm) -> None:
    code, printed, _ = mmlm("train", "--info", "searchpath")
    assert code == 0
    assert "mmlm://" in printed


def test_parts_that_do_not_fit_are_refused_with_every_reason(mmlm: Mmlm, trained: list[Composition]) -> None:
    code, _, errors = mmlm("train", "backbone=bert", "tokenizer=none")
    assert code == 2
    assert errors == (
        "error: This composition does not fit together:\n"
        "  - `head=captioning` writes one token after another: it needs a `backbone` that provides `causal`. "
        "These fit: `backbone=gru`, `backbone=lstm`, `backbone=transformer`.\n"
        "  - `head=captioning` reads or writes text: it needs a `tokenizer`. "
        "These fit: `tokenizer=bpe`, `tokenizer=char`.\n"
    )
    assert trained == []


def test_a_deleted_group_is_not_chosen(mmlm: Mmlm) -> None:
    assert mmlm("train", "~backbone")[2] == (
        "error: This composition does not fit together:\n  - `backbone` is not chosen. "
        "These fit: `backbone=bert`, `backbone=gru`, `backbone=lstm`, `backbone=transformer`.\n"
    )


def test_a_deleted_option_has_its_default(mmlm: Mmlm, trained: list[Composition]) -> None:
    assert mmlm("train", "backbone=gru", "~backbone.layers")[0] == 0
    assert trained[0]["backbone"].options.layers == 1


def test_a_sweep_trains_each_job_in_a_folder_of_its_own(mmlm: Mmlm, trained: list[Composition], tmp_path: Path) -> None:
    code, _, errors = mmlm("train", "--multirun", "backbone=gru,lstm", "run.seed=1,2", f"run.folder={tmp_path}")
    assert code == 0, errors
    runs = [(made["backbone"].component.name, made.settings.run.seed, made.settings.run.name) for made in trained]
    assert runs == [("gru", 1, "0"), ("gru", 2, "1"), ("lstm", 1, "2"), ("lstm", 2, "3")]
    (sweep,) = tmp_path.iterdir()
    assert {made.settings.run.folder for made in trained} == {str(sweep)}
    assert sweep.name.startswith("sweep-")
    assert errors.splitlines()[0] == f"job 0: backbone=gru run.seed=1 run.folder={tmp_path}"


def test_the_processes_of_a_job_make_no_sweep_of_their_own(mmlm: Mmlm, trained: list[Composition],
                                                           monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    first = tmp_path / "sweep-of-the-first"
    monkeypatch.setenv("MMLM_SWEEP_FOLDER", str(first))
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert mmlm("train", "-m", "backbone=gru,lstm", "encoder/image=cnn", f"run.folder={tmp_path}")[:2] == (0, "")
    assert {made.settings.run.folder for made in trained} == {str(first)}
    assert list(tmp_path.iterdir()) == [first]


def test_a_sweep_ends_with_a_comparison_also_where_a_job_fails(mmlm: Mmlm, monkeypatch: pytest.MonkeyPatch,
                                                               tmp_path: Path) -> None:  # fmt: skip
    def train(composition: Composition, plugins: object, overrides: list[str]) -> Path:
        run = RunFolder(Path(composition.settings.run.folder) / str(composition.settings.run.name))
        run.path.mkdir(parents=True)
        write_yaml(run.overrides, list(overrides))
        if composition.settings.run.seed == 3:
            raise DataError("torn.")
        write_json(run.summary, {"seconds": 60, "best": {}})
        write_json(run.evaluation("test"), {"metrics": {"loss": 2.0, "f1": composition.settings.run.seed / 8}})
        return run.path

    stand_in(monkeypatch, train=train)
    place = tmp_path / 'a "sweep"'
    code, printed, errors = mmlm("train", "-m", "run.seed=1,2,3", "encoder/image=cnn", f"run.folder='{place}'")
    (sweep,) = place.iterdir()
    asked = f"run.seed=3 encoder/image=cnn run.folder='{place}'"
    assert (code, errors.splitlines()[-1]) == (2, f"error: job 2 ({asked}): torn.")
    assert printed == (
        f"\nthe runs of {sweep}, on `test`\n"
        "run        run.seed  f1             minutes\n"
        "0          1         0.125          1.0\n"
        "1          2         0.250          1.0\n"
        "2          3                        not ended\n"
        "mean of 2            0.188 ± 0.088  1.0\n"
        f"\ncomparison: {sweep}/sweep.md and {sweep}/sweep.csv\n"
    )


def test_a_job_that_fails_unexpectedly_is_named_with_its_traceback_and_the_others_go_on(
    mmlm: Mmlm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []

    def train(composition: Composition, plugins: object, overrides: list[str]) -> Path:
        asked.append(composition.settings.run.seed)
        if composition.settings.run.seed == 2:
            raise RuntimeError("mat1 and mat2 cannot be multiplied")
        run = RunFolder(Path(composition.settings.run.folder) / str(composition.settings.run.name))
        run.path.mkdir(parents=True)
        write_yaml(run.overrides, list(overrides))
        write_json(run.summary, {"seconds": 60, "best": {}})
        return run.path

    stand_in(monkeypatch, train=train)
    with pytest.raises(SystemExit) as ended:
        mmlm("train", "-m", "run.seed=1,2,3", "encoder/image=cnn", f"run.folder={tmp_path}")
    printed, errors = capsys.readouterr()
    assert (ended.value.code, asked) == (1, [1, 2, 3])
    assert [line.split() for line in printed.splitlines()[3:5]] == [["0", "1", "1.0"], ["2", "3", "1.0"]]
    told, named = "RuntimeError: mat1 and mat2 cannot be multiplied", "run.seed=2 encoder/image=cnn"
    *_, last = errors.splitlines()
    assert last == f"error: job 1 ({named} run.folder={tmp_path}): {told} (the traceback stands above)"
    traceback, _, after = errors.partition(f"note: job 1 failed: {told}\n")
    assert f"job 2: run.seed=3 encoder/image=cnn run.folder={tmp_path}\n" in after
    assert traceback.count("Traceback") == 1 and traceback.endswith(f"{told}\n")
    assert "in train\n" in traceback and "hydra" not in traceback


def test_a_full_disk_is_told_with_its_job_as_a_single_run_tells_it(mmlm: Mmlm, monkeypatch: pytest.MonkeyPatch,
                                                                   tmp_path: Path) -> None:  # fmt: skip
    def train(composition: Composition, plugins: object, overrides: list[str]) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    stand_in(monkeypatch, train=train)
    told = "What was to be written could not be: No space left on device."
    rest = f"encoder/image=cnn run.folder={tmp_path}"
    assert mmlm("train", "run.seed=1", *rest.split()) == (2, "", f"error: {told}\n")
    code, _, errors = mmlm("train", "-m", "run.seed=1,2", *rest.split())
    assert (code, errors.splitlines()[-1]) == (2, f"error: job 0 (run.seed=1 {rest}): {told}")
    assert "Traceback" not in errors and f"note: job 1 failed: {told}\n" in errors


def test_a_run_that_cannot_be_read_hides_no_error_of_a_job(mmlm: Mmlm, monkeypatch: pytest.MonkeyPatch,
                                                            tmp_path: Path) -> None:  # fmt: skip
    def train(composition: Composition, plugins: object, overrides: list[str]) -> Path:
        run = RunFolder(Path(composition.settings.run.folder) / str(composition.settings.run.name))
        run.path.mkdir(parents=True)
        write_yaml(run.overrides, list(overrides))
        run.evaluation("test").write_text("{torn")
        raise DataError("torn.")

    stand_in(monkeypatch, train=train)
    code, printed, errors = mmlm("train", "-m", "run.seed=1,2", "encoder/image=cnn", f"run.folder={tmp_path}")
    (sweep,) = tmp_path.iterdir()
    assert (code, printed) == (2, "")
    *_, note, error = errors.splitlines()
    assert note.startswith(f"note: The runs of `{sweep}` cannot be compared: `{sweep}/0/metrics_test.json` cannot be")
    assert error == f"error: job 0 (run.seed=1 encoder/image=cnn run.folder={tmp_path}): torn."


def test_a_name_of_a_sweep_gets_the_jobs_number(mmlm: Mmlm, trained: list[Composition], tmp_path: Path) -> None:
    assert mmlm("train", "-m", "backbone=gru,lstm", "run.name=x", f"run.folder={tmp_path}")[0] == 0
    assert [made.settings.run.name for made in trained] == ["x-0", "x-1"]


def test_a_sweep_with_a_job_that_cannot_be_trained_trains_none(mmlm: Mmlm, trained: list[Composition],
                                                               tmp_path: Path) -> None:  # fmt: skip
    code, _, errors = mmlm("train", "-m", "backbone=gru,bert", "backbone.layers=2", f"run.folder={tmp_path}")
    assert code == 2
    assert errors == (
        f"error: job 1 (backbone=bert backbone.layers=2 run.folder={tmp_path}): `backbone.layers=2`: `layers` is no "
        "option of `backbone=bert` (mmlm-toys). It is one of `backbone=gru`, `backbone=lstm`. "
        "There are no choices: no installed plugin gives one.\n"
    ).replace(" There are no choices: no installed plugin gives one.", " It has no options.")
    assert trained == []


def test_resume_takes_no_overrides(mmlm: Mmlm) -> None:
    assert mmlm("train", "--resume", "runs/x", "backbone=gru") == (
        2, "", "error: `--resume` goes on with a run as it was, so `backbone=gru` cannot be given.\n"
    )  # fmt: skip


def test_resume_goes_to_the_training(mmlm: Mmlm, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Path] = []
    stand_in(monkeypatch, resume=given.append)
    monkeypatch.setattr("mmlm_core.resuming.read_unfinished", lambda run: run)
    assert mmlm("train", "--resume", "runs/x") == (0, "", "")
    assert given == [Path("runs/x")]


def test_a_run_that_cannot_be_resumed_is_told_without_torch(tmp_path: Path) -> None:
    code = "import sys; from mmlm_core.cli.main import main; print(main(sys.argv[1:]), 'torch' in sys.modules)"
    words = [sys.executable, "-c", code, "train", "--resume", str(tmp_path / "nowhere")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (
        "2 False\n", f"error: `{tmp_path / 'nowhere'}` is no run folder: there is no such folder.\n",
    )  # fmt: skip


def test_the_users_folder_gives_presets_that_go_before_ours(mmlm: Mmlm, trained: list[Composition],
                                                            tmp_path: Path) -> None:  # fmt: skip
    (tmp_path / "backbone").mkdir()
    (tmp_path / "trainer").mkdir()
    (tmp_path / "experiment").mkdir()
    (tmp_path / "backbone" / "deep.yaml").write_text("defaults: [gru, _self_]\nlayers: 6\n")
    (tmp_path / "trainer" / "debug.yaml").write_text("defaults: [default, _self_]\nmax_steps: 7\n")
    (tmp_path / "experiment" / "mine.yaml").write_text(
        "# @package _global_\ndefaults:\n- override /backbone: deep\n- override /trainer: debug\nrun: {seed: 5}\n"
    )
    own = ("--config-dir", str(tmp_path))
    assert mmlm("train", *own, "experiment=mine", "backbone.width=32")[0] == 0
    assert (trained[0]["backbone"].component.name, trained[0]["backbone"].options.layers) == ("gru", 6)
    assert (trained[0].settings.trainer.max_steps, trained[0].settings.run.seed) == (7, 5)
    assert trained[0]["backbone"].options.width == 32
