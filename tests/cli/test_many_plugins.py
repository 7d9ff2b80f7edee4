"""200 components of 40 plugins: all can be chosen, and no command loads what it does not need."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from mmlm_core.cli.main import main
code = main(sys.argv[1:])
sys.stderr.write(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))
sys.exit(code)
"""


def write_plugins(folder: Path) -> list[str]:
    path = Path(__file__).parent / "many_plugins.py"
    spec = importlib.util.spec_from_file_location("mmlm_many_plugins", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written: list[str] = module.write_plugins(folder)
    return written


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("many")
    return folder, write_plugins(folder)


def run(folder: Path, *arguments: str) -> tuple[str, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout, set(done.stderr.split())


def test_all_of_two_hundred_components_are_listed(many: tuple[Path, list[str]]) -> None:
    folder, components = many
    printed, imported = run(folder, "components")
    assert len(components) == 200
    assert set(components) <= {line.split()[0] for line in printed.splitlines() if line.strip()}
    assert not imported & {"torch", "hydra", "omegaconf", "numpy"}


def test_help_loads_none_of_them(many: tuple[Path, list[str]]) -> None:
    _, imported = run(many[0], "--help")
    assert not [name for name in imported if name.startswith("mmlm_many")]


def test_one_of_them_is_composed(many: tuple[Path, list[str]]) -> None:
    printed, imported = run(many[0], "train", "backbone=many017", "--cfg", "job", "-p", "backbone")
    assert printed == "name: many017\nwidth: 16\ndepth: 2\ndropout: 0.1\n"
    assert "torch" not in imported
