"""Plugins of strangers, from their wheels, in an environment of its own: nothing of this tree is on the path.

Two stand in `examples/`. The third is written here from the documentation alone, as its reader would.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import re
import struct
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = [ROOT, *sorted((ROOT / "plugins").glob("mmlm-*")), *sorted((ROOT / "examples").glob("plugin-*"))]
HOW_TO = ROOT / "docs" / "how-to"

pytestmark = pytest.mark.slow

Command = Callable[..., subprocess.CompletedProcess[str]]


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MMLM_PLUGINS")}
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, cwd=cwd,
                          env={**clean, **environment})  # fmt: skip


def documented(folder: Path) -> Path:
    """Write the distribution that the pages on heads and on publishing show, file by file."""
    for page in ("own-head.md", "publish.md"):
        text = (HOW_TO / page).read_text(encoding="utf-8")
        for title, body in re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', text, flags=re.MULTILINE | re.DOTALL):
            path = folder / title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of every package, and the wheel that is built out of that."""
    folder = tmp_path_factory.mktemp("dist")
    for source in [*SOURCES, documented(tmp_path_factory.mktemp("documented"))]:
        built = run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source, cwd=folder)
        assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="module")
def elsewhere(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with all the wheels, and the heavy libraries of ours."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    # Paths of a .pth file are searched, but not for further .pth files: our editable packages are not found there.
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).stdout.strip()
    (Path(packages) / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    installed = run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index",
                    *sorted(dist.glob("*.whl")), cwd=folder)  # fmt: skip
    assert installed.returncode == 0, installed.stderr
    return folder


@pytest.fixture(scope="module")
def mmlm(elsewhere: Path) -> Command:
    return lambda *words, **environment: run(elsewhere / "venv" / "bin" / "mmlm", *words, cwd=elsewhere, **environment)


def completed(mmlm: Command, line: str) -> list[str]:
    """Return what the shell would offer for a line."""
    typed = f"mmlm train {line}"
    return mmlm("--complete", COMP_LINE=typed, COMP_POINT=str(len(typed)), COMP_WORDBREAKS="=:").stdout.splitlines()


# What is published


def test_the_index_takes_every_distribution(dist: Path) -> None:
    files = sorted(str(path) for path in dist.iterdir())
    checked = run(sys.executable, "-m", "twine", "check", "--strict", *files, cwd=dist)
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.count("PASSED") == len(files) == 2 * (len(SOURCES) + 1)


def test_a_wheel_has_every_yaml_file_and_marker_of_its_package_and_its_licence(dist: Path) -> None:
    for source in SOURCES:
        name = "mmlm_core" if source == ROOT else f"mmlm_{source.name.partition('-')[2]}"
        (wheel,) = dist.glob(f"{name}-*.whl")
        names = set(zipfile.ZipFile(wheel).namelist())
        package = source / name
        wanted = {
            path.relative_to(source).as_posix() for ending in ("yaml", "typed") for path in package.rglob(f"*.{ending}")
        }
        assert wanted <= names, f"{wheel.name} lacks {sorted(wanted - names)}"
        assert (source / "LICENSE").is_file() == any(inner.endswith("/licenses/LICENSE") for inner in names)
        assert not [inner for inner in names if inner.startswith(("tests/", "conf/"))]


def test_the_sources_of_the_core_hold_no_link(dist: Path) -> None:
    (sources,) = dist.glob("mmlm_core-*.tar.gz")
    with tarfile.open(sources) as file:
        assert not [member.name for member in file if member.issym() or member.islnk()]


def test_no_requirement_is_unmet(elsewhere: Path) -> None:
    python = elsewhere / "venv" / "bin" / "python"
    checked = run(sys.executable, "-m", "pip", "--python", python, "check", cwd=elsewhere)
    assert checked.returncode == 0, checked.stdout


def test_nothing_comes_from_this_tree_and_no_plugin_is_set_aside(elsewhere: Path, mmlm: Command) -> None:
    code = "import mmlm_core, mmlm_pointcloud, mmlm_video, mmlm_text; print(mmlm_core.__file__, mmlm_video.__file__)"
    said = run(elsewhere / "venv" / "bin" / "python", "-c", code, cwd=elsewhere).stdout
    assert said.count(str(elsewhere)) == 2
    listed = mmlm("plugins")
    assert listed.returncode == 0
    for name in ("mmlm-pointcloud", "mmlm-video", "mmlm-rating", "mmlm-minimal"):
        assert name in listed.stdout
    assert "aside" not in (listed.stdout + listed.stderr).lower()


# The plugin that was written from the documentation alone


@pytest.fixture(scope="module")
def reviews(elsewhere: Path) -> Path:
    """A table of reviews and their stars."""
    words = {1: "bad", 2: "weak", 3: "fair", 4: "good", 5: "great"}
    with (elsewhere / "reviews.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["review", "stars"])
        table.writerows([f"a {words[1 + number % 5]} film, number {number}", 1 + number % 5] for number in range(60))
    return elsewhere / "reviews.csv"


@pytest.fixture(scope="module")
def rated(elsewhere: Path, reviews: Path, mmlm: Command) -> Path:
    """A run of the command that the page shows."""
    text = (HOW_TO / "own-head.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^mmlm train (.*\\\n.*)$", text, flags=re.MULTILINE)
    words = command.replace("\\\n", " ").split()
    assert f"data.path={reviews.name}" in words
    done = mmlm("train", *words, "run.name=rated", "trainer.max_steps=5", "trainer.max_epochs=null", "backbone.width=16",
                "tracker.wandb=off", "trainer.progress=false")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return elsewhere / "runs" / "rated"


def test_the_documented_head_stands_in_the_listing_the_help_and_the_completion(mmlm: Command) -> None:
    assert "head=rating" in mmlm("components", "head").stdout
    assert "dropout=0.1" in mmlm("components", "show", "head/rating").stdout
    assert "rating" in mmlm("train", "--help").stdout
    assert "Dropout before the output layer." in mmlm("train", "head=rating", "--help").stdout
    assert completed(mmlm, "head=rat") == ["rating"]
    assert completed(mmlm, "head=rating head.dr") == ["head.dropout="]


def test_the_documented_head_trains_saves_and_is_loaded_by_another_process(
    rated: Path, elsewhere: Path, mmlm: Command
) -> None:
    metrics = json.loads((rated / "metrics_test.json").read_text(encoding="utf-8"))["metrics"]
    assert metrics["mean_absolute_error"] < 5
    code = "import mmlm_core; [row] = mmlm_core.load('runs/rated').predict([{'text': 'a good film'}]); print(row['prediction'])"
    said = run(elsewhere / "venv" / "bin" / "python", "-c", code, cwd=elsewhere)
    assert 0 < float(said.stdout) < 6, said.stderr
    shown = mmlm("predict", "runs/rated", "--text", "a good film")
    assert json.loads(shown.stdout)["prediction"] == pytest.approx(float(said.stdout))


def test_the_run_remembers_the_plugins_version_and_api(rated: Path) -> None:
    environment = json.loads((rated / "environment.json").read_text(encoding="utf-8"))
    (entry,) = (entry for entry in environment["plugins"] if entry["distribution"] == "mmlm-rating")
    assert entry == {
        "name": "rating",
        "distribution": "mmlm-rating",
        "version": "0.1.0",
        "api": 1,
        "gives": ["head=rating"],
    }


def test_its_contracts_are_checked_where_it_is_installed(mmlm: Command) -> None:
    done = mmlm("plugins", "check", "rating")
    assert done.returncode == 0, done.stdout
    assert re.fullmatch(r"rating of mmlm-rating 0\.1\.0\n  ok      head=rating  \d+ passed.*\n", done.stdout)


def test_without_the_documented_plugin_its_run_says_what_to_install(rated: Path, tmp_path: Path) -> None:
    done = run(Path(sys.executable).with_name("mmlm"), "predict", rated, "--text", "a good film", cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "`head=rating` of this run comes from the plugin mmlm-rating 0.1.0, which is not installed" in done.stderr
    assert "`pip install mmlm-rating==0.1.0`" in done.stderr


# The two in `examples/`


STRANGERS = {
    "pointcloud": ("encoder/pointcloud", "pointnet", "encoder.pointcloud.tokens", "shape_classification"),
    "video": ("encoder/video", "frames", "encoder.video.pooling", "motion_classification"),
}
"""For each its slot, its encoder, an option of that, and an experiment."""

SMALL = {
    "pointcloud": ["data.rows=100"],
    "video": ["data.rows=80", "data.frames=2", "encoder.video.image_options={size: 16, channels: [4, 8], width: 16}"],
}

strangers = pytest.mark.parametrize("name", STRANGERS)


@pytest.fixture(scope="module")
def trained(elsewhere: Path, mmlm: Command) -> dict[str, Path]:
    """A run of some steps of each."""
    for name, (*_, experiment) in STRANGERS.items():
        done = mmlm("train", f"experiment={experiment}", f"run.name={name}", *SMALL[name], "trainer.max_epochs=null",
                    "trainer.max_steps=5", "tracker.wandb=off", "trainer.progress=false")  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    return {name: elsewhere / "runs" / name for name in STRANGERS}


@pytest.fixture(scope="module")
def items(elsewhere: Path) -> dict[str, Path]:
    """A folder for each modality with one item in two files, and a file that is none."""
    points = [(x, y, x * y) for x in (0.0, 0.5, 1.0) for y in (0.0, 0.5, 1.0)]
    header = "ply\nformat binary_big_endian 1.0\nelement vertex 9\n" + "".join(f"property float {n}\n" for n in "xyz")
    cloud = f"{header}end_header\n".encode() + b"".join(struct.pack(">fff", *point) for point in points)
    made = "from PIL import Image; from mmlm_video.motions import film; import sys; " \
           "sys.stdout.buffer.write(film([Image.new('RGB', (32, 32), (20 * n, 0, 0)) for n in range(9)]))"  # fmt: skip
    film = subprocess.run(
        [str(elsewhere / "venv" / "bin" / "python"), "-c", made], capture_output=True, check=True
    ).stdout
    folders = {}
    for name, content, files in (("pointcloud", cloud, ("scan.ply", "more/again.PLY")),
                                 ("video", film, ("scan.mp4", "more/again.M4V"))):  # fmt: skip
        folders[name] = elsewhere / f"items-{name}"
        (folders[name] / "more").mkdir(parents=True)
        for file in files:
            (folders[name] / file).write_bytes(content)
        (folders[name] / "notes.txt").write_text("none of them")
    return folders


@strangers
def test_the_modality_stands_in_the_listing_the_help_and_the_completion(mmlm: Command, name: str) -> None:
    slot, encoder, option, experiment = STRANGERS[name]
    assert encoder in mmlm("components", slot).stdout
    assert slot in mmlm("train", "--help").stdout
    assert option in mmlm("train", f"{slot}={encoder}", "--help").stdout
    assert f"{slot}=" in completed(mmlm, slot[:-2])
    assert encoder in completed(mmlm, f"{slot}={encoder[:1]}")
    assert experiment in completed(mmlm, f"experiment={experiment[:7]}")


@strangers
def test_the_modality_composes_with_everybody_elses_parts(mmlm: Command, name: str) -> None:
    _, encoder, _, experiment = STRANGERS[name]
    other = experiment.replace("classification", "captioning")
    for words in ([f"experiment={other}"], [f"experiment={experiment}", "backbone=gru"]):
        done = mmlm("train", *words, "--cfg", "job")
        assert done.returncode == 0 and f"name: {encoder}" in done.stdout, done.stderr


@strangers
def test_a_run_predicts_a_file_in_another_process(
    trained: dict[str, Path], items: dict[str, Path], mmlm: Command, name: str
) -> None:
    (file,) = items[name].glob("scan.*")
    done = mmlm("predict", trained[name], file)
    assert done.returncode == 0, done.stderr
    [row] = [json.loads(line) for line in done.stdout.splitlines()]
    assert row["key"] == str(file) and isinstance(row["prediction"], str)


@strangers
def test_a_folder_is_searched_for_the_files_of_the_modality(
    trained: dict[str, Path], items: dict[str, Path], mmlm: Command, name: str
) -> None:
    done = mmlm("predict", trained[name], items[name])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(row["key"]).stem for row in rows] == ["again", "scan"], done.stderr
    assert rows[0]["prediction"] == rows[1]["prediction"]


@pytest.mark.parametrize(("name", "told"), [
    ("pointcloud", "its header says 9 points, and 6 are there"),
    ("video", "cannot be read as a film: Invalid data found when processing input"),
])  # fmt: skip
def test_a_broken_file_is_told_in_a_line(
    trained: dict[str, Path], items: dict[str, Path], mmlm: Command, tmp_path: Path, name: str, told: str
) -> None:
    (whole,) = items[name].glob("scan.*")
    cut = tmp_path / f"cut{whole.suffix}"
    cut.write_bytes(whole.read_bytes()[: -30 if name == "pointcloud" else 200])
    done = mmlm("predict", trained[name], cut)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert told in done.stderr and str(cut) in done.stderr


@strangers
def test_the_report_shows_the_items(trained: dict[str, Path], name: str) -> None:
    assert "data:image/png;base64," in (trained[name] / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in STRANGERS if importlib.util.find_spec(f"mmlm_{name}") is None])
def test_without_the_plugin_the_run_says_what_to_install(
    trained: dict[str, Path], items: dict[str, Path], tmp_path: Path, name: str
) -> None:
    done = run(Path(sys.executable).with_name("mmlm"), "predict", trained[name], items[name], cwd=tmp_path)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "pip install" in done.stderr and f"mmlm-{name}" in done.stderr
