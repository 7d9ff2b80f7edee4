"""Training in two processes of one machine, which share the rows: the way of the recipes that train on a CPU."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent
CHANGES = ("trainer.checkpoint_every_steps=2", "trainer.average_decay=0.9", "trainer.devices=2", "trainer.strategy=ddp",
           "data.test=false")  # fmt: skip


def run_process(folder: Path, command: str, kill: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TOY_KILL": kill, "MMLM_PLUGINS": "training_toy_plugin", "OMP_NUM_THREADS": "1"}
    words = [sys.executable, str(HERE / "training_toy_run.py"), command, str(folder), "two", *CHANGES]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two processes that was not interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    done = run_process(folder, "train")
    assert done.returncode == 0, done.stderr
    return folder / "two"


def test_two_processes_divide_the_rows_and_write_one_run(whole: Path) -> None:
    summary = json.loads((whole / "summary.json").read_text())
    assert (summary["epochs"], summary["steps"]) == (3, 18)  # 48 rows by 4 in each of two processes
    lines = [json.loads(line) for line in (whole / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["split"] == "validation"] == [6, 12, 18]


def test_dropout_is_drawn_apart_in_each_process(whole: Path) -> None:
    states = torch.load(whole / "checkpoints" / "last.ckpt", weights_only=True)["callbacks"]["Conductor"]["random"]
    assert len(states) == 2
    assert not torch.equal(states[0]["torch"], states[1]["torch"])


def test_a_run_of_two_processes_that_was_killed_goes_on_as_if_it_had_not_been(tmp_path: Path, whole: Path) -> None:
    assert run_process(tmp_path, "train", kill="step:9").returncode == -signal.SIGKILL
    done = run_process(tmp_path, "resume")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "two" / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_where_one_process_is_terminated_both_end_and_the_run_goes_on(tmp_path: Path, whole: Path) -> None:
    """The other one waits for it in the midst of its step by then."""
    done = run_process(tmp_path, "train", kill="terminate:9")
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert "Interrupted. Go on with `mmlm train --resume" in done.stdout + done.stderr
    assert run_process(tmp_path, "resume").returncode == 0
    assert (tmp_path / "two" / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_each_process_has_as_many_positions_as_its_own_rows_need(tmp_path: Path) -> None:
    """A table of positions grows on the rank whose row is long, and is nobody else's business."""
    lengths = [20, 20, 400, 20, 20, 20, 20, 400]
    rows = [json.dumps({"text": f"{number} ".ljust(length, "x")}) for number, length in enumerate(lengths)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows), encoding="utf-8")
    words = ["data=table", "data.path=rows.jsonl", "data.target=text", "data.validation_fraction=0", "tokenizer=byte",
             "data.test_fraction=0", "backbone=transformer", "backbone.width=32", "backbone.depth=1", "head=language_modeling",
             "head.context=512", "trainer.devices=2", "trainer.strategy=ddp", "trainer.accelerator=cpu", "run.name=x",
             "trainer.max_epochs=3", "loader.batch_size=1", "tracker.wandb=off", "trainer.progress=false"]  # fmt: skip
    command = [sys.executable, "-m", "mmlm_core.cli.main", "train", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "runs" / "x" / "summary.json").read_text())["steps"] == 12
