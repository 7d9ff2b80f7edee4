"""The run folder: made, written and read."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mmlm_core import runs
from mmlm_core.boxes import changed
from mmlm_core.errors import CompositionError, MissingPluginError, MmlmError, RunError
from mmlm_core.files import (
    append_line,
    read_json,
    read_lines,
    read_yaml,
    replacing,
    write_json,
    write_lines,
    write_text,
    write_yaml,
)
from mmlm_core.record import record_start
from mmlm_core.resuming import read_unfinished
from mmlm_core.run_reader import read_run
from mmlm_core.runs import RunFolder, alone, create_run
from mmlm_core.settings import RunOptions
from mmlm_core.weights import load_weights, save_weights

TOY = Path(__file__).parent / "training"


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.syspath_prepend(str(TOY))
    monkeypatch.setenv("MMLM_PLUGINS", "training_toy_plugin")
    import training_toy_run

    return training_toy_run


@pytest.fixture
def run(toy, tmp_path):
    """A run folder as it stands after a training."""
    plugins = toy.toy_plugins()
    composition = toy.toy_composition(plugins, tmp_path, "good")
    folder = create_run(composition.settings.run)
    record_start(folder, composition, plugins, ["trainer.max_epochs=3"], None, {"labels": ["a", "b"]})
    save_weights(nn.Linear(2, 2), folder.weights)
    return folder.path


def refused(path: Path, text: str, kind: type[MmlmError] = RunError, **more: object) -> None:
    with pytest.raises(kind, match=f"^{re.escape(text)}$"):
        read_run(path, **more)


def test_what_was_recorded_is_what_is_read(run, toy):
    record = read_run(run)
    assert record.composition.to_mapping() == toy.toy_composition(toy.toy_plugins(), run.parent, "good").to_mapping()
    assert record.facts == {"labels": ["a", "b"]}
    assert record.overrides == ["trainer.max_epochs=3"]
    assert record.weights == run / "model.safetensors"


def test_the_environment_says_what_the_run_was_made_with(run):
    environment = read_json(run / "environment.json")
    assert environment["mmlm"] == "0.1.0"
    assert environment["torch"] == torch.__version__.partition("+")[0]
    assert environment["seed"] == 1
    (plugin,) = environment["plugins"]
    assert plugin["name"] == "training_toy_plugin"
    assert "backbone=toy" in plugin["gives"]
    assert environment["machine"]["cores"] == len(os.sched_getaffinity(0))


def test_overrides_replace_a_runs_own_values(run):
    assert read_run(run, ["decoding.beams=4"]).composition.settings.decoding.beams == 4


def test_what_was_edited_in_a_configuration_is_known(run, toy):
    made = toy.toy_composition(toy.toy_plugins(), run.parent, "good")
    rows = [{"slot": slot, "choice": choice.component.name, "changed": changed(choice.options)}
            for slot, choice in made.choices.items()]  # fmt: skip
    write_json(run / "environment.json", {**read_json(run / "environment.json"), "boxes": rows})
    assert read_run(run).edits() == []
    mapping = read_yaml(run / "config.yaml")
    write_yaml(run / "config.yaml", {**mapping, "backbone": {"name": "toy", "width": 6}})
    before = f"toy {changed(made['backbone'].options)}".strip()
    assert read_run(run).edits() == [f"`backbone` was `{before}` and is `toy width=6`"]


def test_two_runs_in_one_second_have_two_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(runs.time, "strftime", lambda _: "2026-01-02_03-04-05")
    options = RunOptions(folder=str(tmp_path))
    names = [create_run(options).path.name for _ in range(3)]
    assert names == ["2026-01-02_03-04-05", "2026-01-02_03-04-05_2", "2026-01-02_03-04-05_3"]


def test_the_processes_of_one_job_share_a_folder(tmp_path, monkeypatch):
    first = create_run(RunOptions(folder=str(tmp_path)))
    monkeypatch.setenv("MMLM_RUN_FOLDER", str(first.path))
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert create_run(RunOptions(folder=str(tmp_path))) == first


def test_the_tasks_of_a_slurm_job_share_a_folder_without_having_spoken(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "2")
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    folders = []
    for rank in ("0", "1"):
        monkeypatch.setenv("SLURM_PROCID", rank)
        folders.append(create_run(RunOptions(folder=str(tmp_path))))
    assert folders[0] == folders[1] == RunFolder(tmp_path / "slurm-4711")


def test_a_run_that_is_not_there_is_told_with_the_nearest_one(run):
    refused(run.parent / "goood", f"`{run.parent / 'goood'}` is no run folder: there is no such folder. "
            f"Did you mean `{run}`?")  # fmt: skip


def test_what_is_missing_is_named_all_at_once(run):
    (run / "config.yaml").unlink()
    (run / "facts.json").unlink()
    refused(run, f"`{run}` is no complete run folder: `config.yaml`, `facts.json` are missing.")


def test_a_run_without_weights_yet_says_how_to_go_on(run):
    (run / "model.safetensors").unlink()
    refused(run, f"`{run}` has no trained weights: `model.safetensors` is missing.")
    (run / "checkpoints" / "last.ckpt").write_bytes(b"")
    refused(run, f"`{run}` has no trained weights: `model.safetensors` is missing. "
            f"Go on with its training by `mmlm train --resume {run}`.")  # fmt: skip
    assert read_run(run, trained=False)


@pytest.mark.parametrize(
    ("line", "path", "value"),
    [
        ("  _target_: os.system", "backbone._target_", "os.system"),
        ("  lr: ${oc.env:HOME}", "backbone.lr", "${oc.env:HOME}"),
    ],
)
def test_a_configuration_that_could_run_code_or_read_the_environment_is_refused(run, line, path, value):
    config = run / "config.yaml"
    config.write_text(config.read_text().replace("backbone:\n", f"backbone:\n{line}\n"))
    refused(run, f"`{path}` of `{config}` is `{value}`: a run's configuration holds plain values only, so that "
            "loading it runs no code.")  # fmt: skip


def test_yaml_that_makes_objects_is_refused(run):
    config = run / "config.yaml"
    config.write_text("backbone: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(
        RunError, match=f"^{re.escape(f'`{config}` cannot be read: ')}could not determine a constructor"
    ):
        read_run(run)


def test_a_plugin_that_is_missing_is_named_with_its_version_and_how_to_install_it(run):
    environment = read_json(run / "environment.json")
    environment["plugins"] = [{"name": "deep", "distribution": "mmlm-deep", "version": "1.2.0", "api": 1,
                               "gives": ["backbone=deep", "encoder/point=deep", "fusion=toy"]}]  # fmt: skip
    write_json(run / "environment.json", environment)
    config = run / "config.yaml"
    text = config.read_text().replace("backbone:\n  name: toy", "backbone:\n  name: deep")
    config.write_text(text.replace("  point:\n    name: toy", "  point:\n    name: deep", 1))
    refused(run, "`encoder/point=deep` and `backbone=deep` of this run come from the plugin mmlm-deep 1.2.0, "
            "which is not installed: `pip install mmlm-deep==1.2.0`.", MissingPluginError)  # fmt: skip


def test_a_run_whose_data_is_changed_for_some_that_lacks_an_input_is_refused(run):
    with pytest.raises(CompositionError, match="reads `point`, which"):
        read_run(run, ["data=table", "data.path=x.csv", "data.target=label"])


def test_a_run_of_another_version_of_a_plugin_is_read_with_a_warning(run, toy, caplog):
    plugins = toy.toy_plugins()
    (ours,) = [plugin for plugin in plugins.found if plugin.name == "training_toy_plugin"]
    ours.version = "2.0"
    environment = read_json(run / "environment.json")
    (entry,) = environment["plugins"]
    entry["version"] = "1.0"
    write_json(run / "environment.json", environment)
    with caplog.at_level("WARNING"):
        read_run(run, plugins=plugins)
    name = ours.distribution
    assert caplog.messages == [f"`{run}` was trained with {name} 1.0, and 2.0 is installed: what it predicts may differ. "
                               f"`pip install {name}==1.0` brings that back."]  # fmt: skip


def test_a_run_of_another_plugin_api_is_refused(run):
    write_json(run / "environment.json", {**read_json(run / "environment.json"), "api": 7, "mmlm": "3.1"})
    refused(run, f"`{run}` was made under plugin API 7, and this mmlm has plugin API 1: its parts may mean something "
            "else. The mmlm that made it: `pip install mmlm-core==3.1`.")  # fmt: skip


def test_a_plugin_module_that_is_not_loaded_is_named_with_the_variable(run, monkeypatch):
    monkeypatch.delenv("MMLM_PLUGINS")
    with pytest.raises(MissingPluginError, match="from the module `training_toy_plugin`, which is not loaded: "
                       "name it in the variable MMLM_PLUGINS"):  # fmt: skip
        read_run(run)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(3, 2)
        self.output = nn.Linear(2, 3, bias=False)
        self.output.weight = self.table.weight


def test_tied_weights_are_written_once_and_are_tied_again_when_they_are_read(tmp_path):
    first, second = Tied(), Tied()
    save_weights(first, tmp_path / "w.safetensors")
    load_weights(second, tmp_path / "w.safetensors")
    assert torch.equal(second.output.weight, first.table.weight)
    assert second.output.weight is second.table.weight


def test_weights_that_lie_side_by_side_in_one_storage_are_saved(tmp_path: Path) -> None:
    """As those of a recurrent layer on a GPU do."""
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    flat = torch.arange(6.0)
    first.weight, first.bias = nn.Parameter(flat[:4].view(2, 2)), nn.Parameter(flat[4:])
    for model in (first, second):
        save_weights(model, tmp_path / "w.safetensors")
        load_weights(first, tmp_path / "w.safetensors")
        assert first.weight.equal(model.weight) and first.bias.equal(model.bias)


def test_a_tensor_of_two_names_is_written_once_and_read_under_either(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path, model = tmp_path / "w.safetensors", nn.Sequential(nn.Embedding(3, 2), nn.Linear(2, 3, bias=False))
    model[1].weight = model[0].weight
    save_weights(model, path)
    assert list(load_file(path)) == ["0.weight"]
    save_file({"1.weight": torch.ones(3, 2)}, path)
    load_weights(model, path)
    assert model[0].weight.equal(torch.ones(3, 2))


def test_weights_of_another_model_or_a_broken_file_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    with pytest.raises(RunError, match=re.escape(f"`{path}` is missing: the run has no weights yet.")):
        load_weights(nn.Linear(2, 2), path)
    save_weights(nn.Linear(2, 2), path)
    told = f"`{path}` does not hold the weights of this composition: "
    for other, fault in (
        (nn.Linear(3, 2), "`weight` is [2, 2] in it and [2, 3] in the model."),
        (nn.Linear(2, 3), "`bias` is [2] in it and [3] in the model, and so on for 1 more."),
        (nn.Linear(2, 2, bias=False), "`bias` is no weight of the model."),
        (nn.Sequential(nn.Linear(2, 2)), "`0.bias` is missing in it, and so on for 3 more."),
    ):
        with pytest.raises(RunError) as refused_:
            load_weights(other, path)
        assert str(refused_.value) == told + fault
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(RunError, match=re.escape(f"`{path}` is broken: ")):
        load_weights(nn.Linear(2, 2), path)


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "before")
    with pytest.raises(OSError, match="disk"), replacing(path) as temporary:
        temporary.write_text("half")
        raise OSError("disk")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_json_lines_come_back_as_they_went_and_numbers_that_json_lacks_as_null(tmp_path):
    write_lines(tmp_path / "a.jsonl", [{"a": "猫"}, {"b": [1.5, float("inf")]}])
    append_line(tmp_path / "a.jsonl", {"c": float("nan")})
    assert read_lines(tmp_path / "a.jsonl") == [{"a": "猫"}, {"b": [1.5, None]}, {"c": None}]
    assert "猫" in (tmp_path / "a.jsonl").read_text(encoding="utf-8")


def test_a_line_that_is_no_json_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"a": 1}) + "\n{\n")
    with pytest.raises(RunError, match=re.escape(f"Line 2 of `{tmp_path / 'a.jsonl'}` is no JSON: ")):
        read_lines(tmp_path / "a.jsonl")


def test_a_variable_left_of_another_job_is_told_and_no_run_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(RunError, match=r"`LOCAL_RANK=1` says .* `WORLD_SIZE` does not: `unset LOCAL_RANK`\.$"):
        create_run(RunOptions(folder=str(tmp_path)))
    monkeypatch.setenv("WORLD_SIZE", "abc")
    with pytest.raises(RunError, match=r"^The environment variable `WORLD_SIZE` must be a number, not `abc`\.$"):
        create_run(RunOptions(folder=str(tmp_path)))
    assert not list(tmp_path.iterdir())


def test_one_process_at_a_time_trains_a_run(tmp_path):
    code = ("import sys; from mmlm_core.runs import RunFolder, alone; from pathlib import Path\n"
            "with alone(RunFolder(Path(sys.argv[1]))): print('in', flush=True); sys.stdin.read()")  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"in\n"
        with pytest.raises(RunError, match=r"is being trained by another process\.$"), alone(RunFolder(tmp_path)):
            pass
        other.stdin.close()
        other.wait()
    with alone(RunFolder(tmp_path)):
        pass
    assert not list(tmp_path.iterdir())


def test_what_is_evaluated_with_changes_has_a_folder_of_its_own(tmp_path):
    run = RunFolder(tmp_path)
    assert run.changed([]) == run
    assert run.changed(["decoding.beams=4"]).path == tmp_path / "evaluations" / "decoding.beams=4"
    names = [run.changed(["data=table", path]).path.name for path in ("data.path=a/b.csv", "data.path=a_b.csv")]
    assert re.fullmatch(r"data=table,data\.path=a_b\.csv_[0-9a-f]{6}", names[0]) and names[1] == names[0][:-7]
    assert len(run.changed(["x=" + "y" * 1000]).path.name) == 87


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.full((2, 2), math.nan), "`weight` holds numbers that are not finite"),
        (torch.ones(2, 2, dtype=torch.int64), "`weight` is torch.int64, and must be torch.float32"),
    ],
)
def test_weights_that_are_none_are_refused(tmp_path, tensor, message):
    save_file({"weight": tensor}, str(tmp_path / "model.safetensors"))
    with pytest.raises(RunError, match=re.escape(message)):
        load_weights(nn.Linear(2, 2, bias=False), tmp_path / "model.safetensors")


def test_a_checkpoint_that_is_cut_off_is_told_before_it_is_read(run):
    checkpoint = RunFolder(run).checkpoint
    with ZipFile(checkpoint, "w") as file:
        file.writestr("data.pkl", "x" * 1000)
    assert read_unfinished(run)
    checkpoint.write_bytes(checkpoint.read_bytes()[:900])
    expected = (f"The checkpoint `{checkpoint}` cannot be read: it has 900 bytes and no end, as a file that was copied "
                "in part. Copy it again, or train anew under another name.")  # fmt: skip
    with pytest.raises(RunError, match=f"^{re.escape(expected)}$"):
        read_unfinished(run)


def test_figures_that_are_none_are_told_unless_their_writer_was_killed(run):
    folder = RunFolder(run)
    with ZipFile(folder.checkpoint, "w"):
        pass
    folder.metrics.write_text('{"step": 1}\n{"step"')
    assert read_unfinished(run)
    folder.metrics.write_text('{"step": 1}\n{"step"\n')
    with pytest.raises(RunError, match=f"^{re.escape(f'Line 2 of `{folder.metrics}` is no JSON: ')}"):
        read_unfinished(run)


def test_figures_that_are_fewer_than_a_checkpoint_tells_of_are_told(tmp_path):
    from mmlm_core.training.trackers import MetricsFile

    (tmp_path / "metrics.jsonl").write_text("{}\n")
    with pytest.raises(RunError, match=r"has 3 bytes, and the checkpoint tells of 1,000: figures are missing\."):
        MetricsFile(tmp_path / "metrics.jsonl").cut(1000)
