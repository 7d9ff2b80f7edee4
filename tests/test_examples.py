"""The examples run as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_tour_ends_with_a_prediction() -> None:
    said = run(str(EXAMPLES / "tour.py"))
    assert "reference: " in said and "prediction: " in said


def run_tests(folder: Path) -> None:
    """Run a plugin's own tests, as they stand and without installing it."""
    config = Path(__file__).parent.parent / "pyproject.toml"
    run("-m", "pytest", "-q", "-c", str(config), f"--rootdir={folder}", str(folder / "tests"), PYTHONPATH=str(folder))


@pytest.mark.parametrize("name", ["plugin-pointcloud", pytest.param("plugin-video", marks=pytest.mark.slow)])
def test_a_plugin_of_another_modality_keeps_its_claims(name: str) -> None:
    run_tests(EXAMPLES / name)


def test_the_minimal_plugin_keeps_its_contracts_and_composes(tmp_path: Path) -> None:
    folder = EXAMPLES / "plugin-minimal"
    run_tests(folder)
    command = str(Path(sys.executable).with_name("mmlm"))
    words = ["train", "backbone=running_mean", "encoder/image=cnn", "--cfg", "job"]
    done = subprocess.run(
        [command, *words], capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(folder), "MMLM_PLUGINS": "mmlm_minimal.plugin"},
    )  # fmt: skip
    assert "name: running_mean" in done.stdout, done.stderr
