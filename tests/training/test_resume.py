"""An interrupted training that is resumed ends as the one that was not: bit for bit, on the CPU."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmlm_core.errors import RunError

HERE = Path(__file__).parent
CHANGES = ("trainer.checkpoint_every_steps=3", "trainer.average_decay=0.9", "data.test=false")
"""12 batches an epoch, 3 epochs: checkpoints in the midst of epochs; the average and the batch norm must come back."""


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("MMLM_PLUGINS", "training_toy_plugin")
    import training_toy_run

    return training_toy_run


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run that was not interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE))
        patch.setenv("MMLM_PLUGINS", "training_toy_plugin")
        import training_toy_run as toy

        from mmlm_core.training import train

        plugins = toy.toy_plugins()
        composition = toy.toy_composition(plugins, tmp_path_factory.mktemp("runs"), "whole", *CHANGES)
        yield train(composition, plugins)


class PowerCut(BaseException):
    """Ends a training at once, as far as that is possible within one process."""


def figures(run: Path) -> list[dict[str, object]]:
    """Return the run's metrics without what the clock says."""
    timed = ("seconds", "samples_per_second")
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in timed} for line in lines]


def assert_same(run: Path, whole: Path) -> None:
    assert (run / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert figures(run) == figures(whole)
    states = [torch.load(path / "checkpoints" / "last.ckpt", weights_only=True) for path in (run, whole)]
    for name, tensor in states[0]["state_dict"].items():
        assert torch.equal(tensor, states[1]["state_dict"][name]), name


def run_process(folder: Path, command: str, kill: str = "") -> int:
    environment = {**os.environ, "TOY_KILL": kill, "MMLM_PLUGINS": "training_toy_plugin", "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-W", "error", str(HERE / "training_toy_run.py"), command, str(folder), "killed", *CHANGES]
    return subprocess.run(words, env=environment, capture_output=True, timeout=300, check=False).returncode


def test_a_run_killed_in_mid_epoch_and_resumed_in_another_process_ends_with_the_same_bytes(tmp_path, whole):
    assert run_process(tmp_path, "train", kill="step:20") == -signal.SIGKILL
    assert not (tmp_path / "killed" / "summary.json").exists()
    assert run_process(tmp_path, "resume") == 0
    assert_same(tmp_path / "killed", whole)


@pytest.mark.parametrize(
    ("step", "written"), [(7, 8), (11, 12), (12, 12)], ids=["in mid-epoch", "before its last step", "at its end"]
)
def test_an_interrupted_run_ends_its_step_writes_a_checkpoint_and_goes_on_from_there(tmp_path, whole, step, written):
    assert run_process(tmp_path, "train", kill=f"interrupt:{step}") == 130
    checkpoint = torch.load(tmp_path / "killed" / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == written
    assert run_process(tmp_path, "resume") == 0
    assert_same(tmp_path / "killed", whole)


def test_a_terminated_run_does_so_too(tmp_path, whole):
    assert run_process(tmp_path, "train", kill="terminate:7") == 143
    assert torch.load(tmp_path / "killed" / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 8
    assert run_process(tmp_path, "resume") == 0
    assert_same(tmp_path / "killed", whole)


def cut_at_step(monkeypatch, number: int) -> None:
    from mmlm_core.training.conductor import Conductor

    original = Conductor.on_train_batch_end

    def end(self, trainer, *rest):
        original(self, trainer, *rest)
        if trainer.global_step == number:
            raise PowerCut

    monkeypatch.setattr(Conductor, "on_train_batch_end", end)


def cut_at_write(monkeypatch, number: int) -> None:
    save, writes = torch.save, []

    def half(value, path):
        save(value, path)
        writes.append(path)
        if len(writes) == number:
            os.truncate(path, path.stat().st_size // 2)
            raise PowerCut

    monkeypatch.setattr(torch, "save", half)


def cut_at_validation(monkeypatch, number: int) -> None:
    from mmlm_core.training.validator import Validator

    measured = []

    def measure(self, *rest):
        measured.append(1)
        if len(measured) == number:
            raise PowerCut
        return original(self, *rest)

    original = Validator.measure
    monkeypatch.setattr(Validator, "measure", measure)


def cut_at_summary(monkeypatch, number: int) -> None:
    from mmlm_core.training import ending

    def write(path, value):
        raise PowerCut

    monkeypatch.setattr(ending, "write_json", write)


@pytest.mark.parametrize(
    ("cut", "number"),
    [(cut_at_step, 2), (cut_at_step, 12), (cut_at_step, 13), (cut_at_write, 3), (cut_at_write, 4),
     (cut_at_validation, 2), (cut_at_summary, 1)],
    ids=["before the first checkpoint", "at an epoch's last step", "at an epoch's first step",
         "in a checkpoint in mid-epoch", "in a checkpoint after an epoch", "in a validation", "after the last step"],
)  # fmt: skip
def test_a_training_cut_at_any_moment_goes_on_as_if_it_had_not_been(tmp_path, whole, toy, monkeypatch, cut, number):
    from mmlm_core.training import resume, train

    plugins = toy.toy_plugins()
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut(patch, number)
        train(toy.toy_composition(plugins, tmp_path, "cut", *CHANGES), plugins)
    torch.manual_seed(123456)  # another process would not have this one's state
    assert resume(tmp_path / "cut", plugins) == tmp_path / "cut"
    assert_same(tmp_path / "cut", whole)


def test_accumulated_gradients_and_patience_survive_an_interruption(tmp_path, toy, monkeypatch):
    from mmlm_core.training import resume, train

    plugins = toy.toy_plugins()
    changes = ("trainer.accumulate=5", "trainer.checkpoint_every_steps=2", "trainer.patience=1", "trainer.max_epochs=8",
               "data.test=false")  # fmt: skip
    first = train(toy.toy_composition(plugins, tmp_path, "first", *changes, optimizer={"lr": 0.5}), plugins)
    ended = json.loads((first / "summary.json").read_text())
    assert ended["reason"] == "patience"
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut_at_step(patch, ended["best_step"] + 1)  # the next validation is the worse one that ends it
        train(toy.toy_composition(plugins, tmp_path, "cut", *changes, optimizer={"lr": 0.5}), plugins)
    resume(tmp_path / "cut", plugins)
    assert_same(tmp_path / "cut", first)


def test_a_run_that_has_ended_says_so_when_it_is_resumed(whole, toy):
    from mmlm_core.training import resume

    expected = (f"The training of `{whole}` has ended already, after 3 epochs and 36 steps: "
                "there is nothing to resume.")  # fmt: skip
    with pytest.raises(RunError, match=f"^{re.escape(expected)}$"):
        resume(whole, toy.toy_plugins())


def test_a_run_whose_data_has_changed_is_not_resumed(tmp_path, toy, monkeypatch):
    from mmlm_core.training import resume, train

    plugins = toy.toy_plugins()
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut_at_step(patch, 4)
        train(toy.toy_composition(plugins, tmp_path, "cut", *CHANGES), plugins)
    config = tmp_path / "cut" / "config.yaml"
    config.write_text(config.read_text().replace("rows: 48", "rows: 47"))
    expected = (f"The data of `{tmp_path / 'cut'}` has changed since its training began: "
                "`train` had 48 rows and has 47.")  # fmt: skip
    with pytest.raises(RunError, match=f"^{re.escape(expected)}$"):
        resume(tmp_path / "cut", plugins)


def test_a_run_whose_sizes_were_changed_is_not_resumed(tmp_path, toy, monkeypatch):
    from mmlm_core.training import resume, train

    plugins = toy.toy_plugins()
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut_at_step(patch, 4)
        train(toy.toy_composition(plugins, tmp_path, "cut", *CHANGES), plugins)
    config = tmp_path / "cut" / "config.yaml"
    text = config.read_text()
    assert "width: 8" in text, text
    config.write_text(text.replace("width: 8", "width: 4"))
    with pytest.raises(RunError, match=r"^The checkpoint is not of this composition: `.+` is \[.*\] there and \[.*\] "
                                       r"here\. Has `config\.yaml` been changed since it began\?$"):  # fmt: skip
        resume(tmp_path / "cut", plugins)


def test_a_broken_checkpoint_is_named(tmp_path, toy, monkeypatch):
    from mmlm_core.training import resume, train

    plugins = toy.toy_plugins()
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut_at_step(patch, 4)
        train(toy.toy_composition(plugins, tmp_path, "cut", *CHANGES), plugins)
    checkpoint = tmp_path / "cut" / "checkpoints" / "last.ckpt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    with pytest.raises(RunError, match=re.escape(f"The checkpoint `{checkpoint}` cannot be read: ")):
        resume(tmp_path / "cut", plugins)


def test_a_flipped_bit_in_a_checkpoint_is_noticed(tmp_path, toy, monkeypatch):
    from mmlm_core.training import resume, train

    plugins = toy.toy_plugins()
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut_at_step(patch, 4)
        train(toy.toy_composition(plugins, tmp_path, "cut", *CHANGES), plugins)
    checkpoint = tmp_path / "cut" / "checkpoints" / "last.ckpt"
    weights = torch.load(checkpoint, weights_only=True)["state_dict"]
    content = bytearray(checkpoint.read_bytes())
    place = content.find(max(weights.values(), key=torch.Tensor.numel).numpy().tobytes())
    assert place > 0
    content[place] ^= 1
    checkpoint.write_bytes(content)
    with pytest.raises(RunError, match=re.escape(f"The checkpoint `{checkpoint}` is damaged: ")):
        resume(tmp_path / "cut", plugins)


def test_a_checkpoint_that_has_gone_is_told_and_nothing_begins_anew(tmp_path, toy, monkeypatch):
    from mmlm_core.training import resume, train

    plugins = toy.toy_plugins()
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut_at_step(patch, 14)
        train(toy.toy_composition(plugins, tmp_path, "cut", *CHANGES), plugins)
    checkpoint = tmp_path / "cut" / "checkpoints" / "last.ckpt"
    checkpoint.unlink()
    lines = (tmp_path / "cut" / "metrics.jsonl").read_bytes()
    with pytest.raises(RunError, match=re.escape(f"`{checkpoint}` is missing, and `model.safetensors` tells")):
        resume(tmp_path / "cut", plugins)
    assert (tmp_path / "cut" / "metrics.jsonl").read_bytes() == lines


def test_rows_that_are_others_but_as_many_are_not_resumed(tmp_path, toy, monkeypatch):
    from training_toy_parts import Points

    from mmlm_core.training import resume, train

    plugins = toy.toy_plugins()
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut_at_step(patch, 4)
        train(toy.toy_composition(plugins, tmp_path, "cut", *CHANGES), plugins)
    read = Points.read
    monkeypatch.setattr(
        Points, "read", lambda self, split: read(self, split)[::-1] if split == "train" else read(self, split)
    )
    with pytest.raises(RunError, match=r"has changed since its training began: there are other rows in `train`\.$"):
        resume(tmp_path / "cut", plugins)
