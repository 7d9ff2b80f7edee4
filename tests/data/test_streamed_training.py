"""A training over a stream that is killed and resumed ends as the one that was not: bit for bit, on the CPU."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TRAINING = HERE.parent / "training"
CHANGES = ("trainer.checkpoint_every_steps=2", "trainer.max_steps=20", "loader.shuffle_rows=10", "data.rows=30",
           "data.test=false")  # fmt: skip
"""8 batches an epoch by 4 rows, shards of 7 rows, blocks of 10: nothing ends together with anything else."""


def run_process(folder: Path, command: str, *changes: str, kill: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TOY_KILL": kill, "OMP_NUM_THREADS": "1", "TOY_PLUGIN": "streamed_toy_plugin",
                   "PYTHONPATH": f"{HERE}{os.pathsep}{TRAINING}"}  # fmt: skip
    words = [sys.executable, "-W", "error", str(TRAINING / "training_toy_run.py"), command, str(folder), "run",
             *CHANGES, *changes]  # fmt: skip
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize(
    ("counted", "step"),
    [
        ("false", 9),
        ("true", 13),
        pytest.param("false", 13, marks=pytest.mark.slow),
        pytest.param("true", 9, marks=pytest.mark.slow),
    ],
)
def test_a_run_over_a_stream_that_was_killed_goes_on_with_the_very_next_row(
    tmp_path: Path, counted: str, step: int
) -> None:
    whole = run_process(tmp_path / "whole", "train", f"data.counted={counted}")
    assert whole.returncode == 0, whole.stderr
    told = json.loads((tmp_path / "whole" / "run" / "summary.json").read_text())
    assert (told["steps"], told["epochs"]) == (20, 3)
    cut = run_process(tmp_path / "cut", "train", f"data.counted={counted}", kill=f"step:{step}")
    assert cut.returncode == -signal.SIGKILL
    resumed = run_process(tmp_path / "cut", "resume")
    assert resumed.returncode == 0, resumed.stderr
    weights = [(tmp_path / name / "run" / "model.safetensors").read_bytes() for name in ("whole", "cut")]
    assert weights[0] == weights[1]


@pytest.mark.slow
@pytest.mark.parametrize("counted", ["false", "true"])
def test_two_processes_that_share_a_stream_and_are_killed_go_on_likewise(tmp_path: Path, counted: str) -> None:
    two = (f"data.counted={counted}", "trainer.devices=2", "trainer.strategy=ddp", "trainer.max_steps=9")
    assert run_process(tmp_path / "whole", "train", *two).returncode == 0
    assert run_process(tmp_path / "cut", "train", *two, kill="step:5").returncode == -signal.SIGKILL
    resumed = run_process(tmp_path / "cut", "resume")
    assert resumed.returncode == 0, resumed.stderr
    weights = [(tmp_path / name / "run" / "model.safetensors").read_bytes() for name in ("whole", "cut")]
    assert weights[0] == weights[1]


def test_a_stream_that_does_not_say_its_size_must_be_told_how_long_to_train(tmp_path: Path) -> None:
    refused = run_process(tmp_path, "train", "trainer.max_steps=null", "trainer.max_epochs=2")
    assert "say how long to train, as `trainer.max_steps=10000` or `trainer.max_minutes=60`." in refused.stderr
