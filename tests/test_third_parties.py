"""A stranger's plugin, from its wheel, in an environment of its own: nothing of this tree is on the path."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STRANGER = ROOT / "examples" / "plugin-pointcloud"
SOURCES = [ROOT, *sorted((ROOT / "plugins").glob("mmlm-*")), STRANGER]

pytestmark = pytest.mark.slow

Command = Callable[..., subprocess.CompletedProcess[str]]


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MMLM_PLUGINS")}
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, cwd=cwd,
                          env={**clean, **environment})  # fmt: skip


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheels of the core, its plugins and the stranger's, and the heavy libraries of ours."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for source in SOURCES:
        built = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "wheels", source,
                    cwd=folder)  # fmt: skip
        assert built.returncode == 0, built.stdout + built.stderr
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    # Paths of a .pth file are searched, but not for further .pth files: our editable packages are not found there.
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).stdout.strip()
    (Path(packages) / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    installed = run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index",
                    *sorted((folder / "wheels").glob("*.whl")), cwd=folder)  # fmt: skip
    assert installed.returncode == 0, installed.stderr
    return folder


@pytest.fixture
def mmlm(elsewhere: Path) -> Command:
    return lambda *words, **environment: run(elsewhere / "venv" / "bin" / "mmlm", *words, cwd=elsewhere, **environment)


@pytest.fixture(scope="module")
def trained(elsewhere: Path) -> Path:
    """A run of some steps."""
    done = run(elsewhere / "venv" / "bin" / "mmlm", "train", "experiment=shape_classification", "run.name=solids",
               "data.rows=100", "trainer.max_epochs=null", "trainer.max_steps=5", "tracker.wandb=off",
               "trainer.progress=false", cwd=elsewhere)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return elsewhere / "runs" / "solids"


@pytest.fixture(scope="module")
def clouds(elsewhere: Path) -> Path:
    """A folder with one cloud as a PLY file, and a file that is none."""
    folder = elsewhere / "clouds"
    (folder / "more").mkdir(parents=True)
    points = [(x, y, x * y) for x in (0.0, 0.5, 1.0) for y in (0.0, 0.5, 1.0)]
    header = "ply\nformat binary_big_endian 1.0\nelement vertex 9\n" + "".join(f"property float {n}\n" for n in "xyz")
    content = f"{header}end_header\n".encode() + b"".join(struct.pack(">fff", *point) for point in points)
    for name in ("scan.ply", "more/again.PLY"):
        (folder / name).write_bytes(content)
    (folder / "notes.txt").write_text("no cloud")
    return folder


def test_nothing_comes_from_this_tree_and_no_plugin_is_set_aside(elsewhere: Path, mmlm: Command) -> None:
    code = "import mmlm_core, mmlm_pointcloud, mmlm_text; print(mmlm_core.__file__, mmlm_pointcloud.__file__)"
    said = run(elsewhere / "venv" / "bin" / "python", "-c", code, cwd=elsewhere).stdout
    assert said.count(str(elsewhere)) == 2
    listed = mmlm("plugins")
    assert listed.returncode == 0 and "mmlm-pointcloud" in listed.stdout
    assert "aside" not in (listed.stdout + listed.stderr).lower()


def test_the_modality_stands_in_the_listing_the_help_and_the_completion(mmlm: Command) -> None:
    assert "pointnet" in mmlm("components", "encoder/pointcloud").stdout
    assert "encoder/pointcloud" in mmlm("train", "--help").stdout
    assert "encoder.pointcloud.tokens" in mmlm("train", "encoder/pointcloud=pointnet", "--help").stdout
    for line, expected in (("encoder/po", "encoder/pointcloud="), ("encoder/pointcloud=p", "pointnet"),
                           ("experiment=shape_", "shape_captioning")):  # fmt: skip
        typed = f"mmlm train {line}"
        said = mmlm("--complete", COMP_LINE=typed, COMP_POINT=str(len(typed)), COMP_WORDBREAKS="=:").stdout
        assert expected in said.splitlines()


def test_the_modality_composes_with_everybody_elses_parts(mmlm: Command) -> None:
    for words in (["experiment=shape_captioning"], ["experiment=shape_classification", "backbone=gru"]):
        done = mmlm("train", *words, "--cfg", "job")
        assert done.returncode == 0 and "name: pointnet" in done.stdout, done.stderr


def test_a_run_predicts_a_ply_file_in_another_process(trained: Path, clouds: Path, mmlm: Command) -> None:
    done = mmlm("predict", trained, clouds / "scan.ply")
    assert done.returncode == 0, done.stderr
    [row] = [json.loads(line) for line in done.stdout.splitlines()]
    assert row["key"] == str(clouds / "scan.ply") and isinstance(row["prediction"], str)


def test_a_folder_is_searched_for_the_files_that_the_plugin_declares(
    trained: Path, clouds: Path, mmlm: Command
) -> None:
    done = mmlm("predict", trained, clouds)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(row["key"]).name for row in rows] == ["again.PLY", "scan.ply"], done.stderr
    assert rows[0]["prediction"] == rows[1]["prediction"]


def test_a_broken_file_is_told_in_a_line(trained: Path, clouds: Path, mmlm: Command, tmp_path: Path) -> None:
    cut = tmp_path / "cut.ply"
    cut.write_bytes((clouds / "scan.ply").read_bytes()[:-30])
    done = mmlm("predict", trained, cut)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "its header says 9 points, and 6 are there" in done.stderr and str(cut) in done.stderr


def test_the_report_shows_the_clouds(trained: Path) -> None:
    assert "data:image/png;base64," in (trained / "report.html").read_text(encoding="utf-8")


def test_without_the_plugin_the_run_says_what_to_install(trained: Path, clouds: Path, tmp_path: Path) -> None:
    done = run(Path(sys.executable).with_name("mmlm"), "predict", trained, clouds / "scan.ply", cwd=tmp_path)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "pip install" in done.stderr and "mmlm-pointcloud" in done.stderr
