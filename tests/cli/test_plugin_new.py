"""`mmlm plugin new`: for every kind, what is written is whole, clean, and works at once."""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from mmlm_core.cli.completion import candidates
from mmlm_core.cli.main import main
from mmlm_core.cli.menu import Menu
from mmlm_core.cli.templates import FOLDER, recipe_of, render
from mmlm_core.errors import DataError
from mmlm_core.registry import KINDS

Mmlm = Callable[..., tuple[int, str, str]]

ROOT = Path(__file__).parent.parent.parent
MODALITIES = ("image", "pointcloud", "text")  # two that have templates of their own, and one that nobody knows
ASKED = [kind for base in KINDS for kind in ([f"encoder/{m}" for m in MODALITIES] if base == "encoder" else [base])]

COMPOSE = """
import json, sys
from mmlm_core import compat
from mmlm_core.cli import composing
from mmlm_core.cli.menu import Menu
from mmlm_core.plugins import load_plugins

plugins = load_plugins()
answers = {"set aside": [p.fault or p.warning for p in plugins.found if p.fault or p.warning]}
answers["torch"] = "torch" in sys.modules
menu = Menu(plugins)
with composing.session(menu) as application:
    for key, overrides in json.loads(sys.argv[1]).items():
        composition = composing.to_composition(composing.compose(application, menu, overrides), menu)
        compat.check(composition, menu.registry)
        answers[key] = composition.to_mapping()
print(json.dumps(answers, default=str))
"""


@dataclass(frozen=True)
class Made:
    """What was written for a kind."""

    kind: str
    name: str
    folder: Path

    @property
    def module(self) -> str:
        return f"mmlm_{self.name}.plugin"

    @property
    def command(self) -> list[str]:
        """The words of the command in the README that trains."""
        readme = (self.folder / "README.md").read_text(encoding="utf-8")
        (line,) = re.findall(r"^mmlm train .*$", readme, flags=re.MULTILINE)
        return shlex.split(line)[1:]

    @property
    def slot(self) -> str:
        return "projection/image" if self.kind == "projection" else self.kind


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """A distribution of each kind, written by the command."""
    folder = tmp_path_factory.mktemp("made")
    written = {}
    for kind in ASKED:
        name = f"my_{kind.replace('/', '_')}"
        one = Made(kind, name, folder / name)
        assert main(["plugin", "new", name, "--kind", kind, "--folder", str(one.folder)]) == 0
        written[kind] = one
    return written


def seeing(made: dict[str, Made]) -> dict[str, str]:
    """The environment of a process that sees the plugins without an installation."""
    path = os.pathsep.join(str(one.folder) for one in made.values())
    return {**os.environ, "PYTHONPATH": path, "MMLM_PLUGINS": ",".join(one.module for one in made.values())}


@pytest.fixture(scope="session")
def outcomes(made: dict[str, Made], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """For each kind the outcome of each of its tests, from one run of all."""
    report = tmp_path_factory.mktemp("report") / "report.xml"
    tests = [str(one.folder / "tests") for one in made.values()]
    parent = next(iter(made.values())).folder.parent
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), f"--rootdir={parent}", "-p",
         "no:cacheprovider", "--junitxml", str(report), *tests],
        capture_output=True, text=True, check=False, env=seeing(made), timeout=570,
    )  # fmt: skip
    assert report.is_file(), done.stdout + done.stderr
    found: dict[str, list[str]] = {kind: [] for kind in made}
    for case in ElementTree.parse(report).iter("testcase"):
        (kind,) = (kind for kind, one in made.items() if case.get("classname", "").startswith(f"{one.name}."))
        wrong = [part.get("message", "") for part in case if part.tag in ("failure", "error")]
        found[kind].append(f"{case.get('name')}: {wrong[0]}" if wrong else "")
    return found


@pytest.fixture(scope="session")
def composed(made: dict[str, Made]) -> dict[str, object]:
    """What a process that sees all of them says of each preset, and of each README's command."""
    asked = {}
    for kind, one in made.items():
        readme = one.command[1:]
        asked[f"{kind} command"] = readme
        chosen = f"{one.slot}={one.name}"
        asked[f"{kind} preset"] = [
            f"{chosen}_{recipe_of(kind).preset}" if word == chosen else word
            for word in readme
            if not word.startswith(f"{kind}.")
        ]
    done = subprocess.run(
        [sys.executable, "-c", COMPOSE, json.dumps(asked)], capture_output=True, text=True, check=False,
        env=seeing(made), timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers: dict[str, object] = json.loads(done.stdout)
    return answers


def node(mapping: object, slot: str) -> dict[str, object]:
    for part in slot.split("/"):
        mapping = mapping[part]  # type: ignore[index]
    assert isinstance(mapping, dict)
    return mapping


@pytest.mark.parametrize("kind", ASKED)
def test_what_is_written_keeps_its_contracts(outcomes: dict[str, list[str]], kind: str) -> None:
    assert len(outcomes[kind]) > 3
    assert [told for told in outcomes[kind] if told] == []


@pytest.mark.parametrize("kind", ASKED)
def test_what_is_written_passes_ruff_by_its_own_rules_and_by_ours(made: dict[str, Made], kind: str) -> None:
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    rules = ["--select", ",".join(ours["select"]), "--ignore", ",".join(ours["ignore"]),
             "--config", 'lint.pydocstyle.convention="google"']  # fmt: skip
    for words in (["check"], ["check", *rules], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", words[0], "--no-cache", *words[1:], str(made[kind].folder)],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_written_is_declared_without_torch_and_without_a_fault(composed: dict[str, object]) -> None:
    assert composed["torch"] is False
    assert composed["set aside"] == []


@pytest.mark.parametrize("kind", ASKED)
def test_the_readmes_command_composes_the_new_part_and_all_fits(
    made: dict[str, Made], composed: dict[str, object], kind: str
) -> None:
    assert node(composed[f"{kind} command"], made[kind].slot)["name"] == made[kind].name


@pytest.mark.parametrize("kind", ASKED)
def test_the_preset_sets_what_its_file_says(made: dict[str, Made], composed: dict[str, object], kind: str) -> None:
    (path,) = made[kind].folder.rglob("conf/**/*.yaml")
    lines = [line.partition(": ") for line in path.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    values = {key: json.loads(value) for key, _, value in lines if key != "defaults"}
    preset = node(composed[f"{kind} preset"], made[kind].slot)
    assert values
    assert {"name": made[kind].name, **values}.items() <= preset.items()
    default = node(composed[f"{kind} command"], made[kind].slot)
    assert preset != default


@pytest.mark.parametrize("kind", ASKED)
def test_no_placeholder_is_left_and_the_distribution_is_whole(made: dict[str, Made], kind: str) -> None:
    folder = made[kind].folder
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert not [path for path in files if re.search("NEW[A-Z]", f"{path}{path.read_text(encoding='utf-8')}")]
    assert {".gitignore", "LICENSE", "README.md", "pyproject.toml", ".github/workflows/ci.yml", "tests/test_contracts.py",
            f"mmlm_{made[kind].name}/py.typed"} <= {path.relative_to(folder).as_posix() for path in files}  # fmt: skip
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"] == {"mmlm.plugins": {made[kind].name: made[kind].module}}
    assert any(need.startswith("pytest") for need in project["optional-dependencies"]["test"])


def test_every_kind_has_a_recipe_and_a_template() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir()}
    assert folders == {"common", *KINDS, "encoder_image", "encoder_text"}
    assert all(recipe_of(kind).about for kind in ASKED)


def test_the_licence_is_that_of_the_repository() -> None:
    assert (FOLDER / "common" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_it_says_what_it_wrote_and_what_to_type_next(
    mmlm: Mmlm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    assert mmlm("plugin", "new", "mmlm-Pointnet".lower(), "--kind", "encoder/pointcloud") == (
        0,
        "wrote mmlm-pointnet, which gives `encoder/pointcloud=pointnet`:\n"
        "  mmlm_pointnet/plugin.py            the options, and what the component provides and needs\n"
        "  mmlm_pointnet/pointnet.py          the class\n"
        "  mmlm_pointnet/conf/                the preset `pointnet_small`\n"
        "  tests/test_contracts.py            what mmlm asks of every component of this kind\n"
        "  README.md                          how to train with it, change it and publish it\n"
        "  pyproject.toml, LICENSE, .github/  the distribution, its licence (Apache-2.0), its tests on GitHub\n"
        "\nnext:\n"
        "  pip install --editable mmlm-pointnet\n"
        "  mmlm plugins check pointnet\n"
        "  mmlm train data=pointnet_samples encoder/pointcloud=pointnet head=classification backbone=gru "
        "trainer=debug\n",
        "",
    )
    assert (tmp_path / "mmlm-pointnet" / "mmlm_pointnet" / "pointnet.py").is_file()


RULE = "a name begins with a lower case letter, and has lower case letters, digits, and single underscores in it."
KIND_CHOICES = ", ".join(f"`{kind}`" for kind in sorted(KINDS))
EXAMPLE = "mmlm plugin new point_net --kind encoder/pointcloud"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], f"`mmlm plugin` must say what to do, as `{EXAMPLE}`."),
        (["nwe", "x"], "`nwe` is no command of `mmlm plugin`. Did you mean `new`? Choices: `new`."),
        (["check", "x"], "`check` is no command of `mmlm plugin`. Did you mean `mmlm plugins check`? Choices: `new`."),
        (["new"], f"`mmlm plugin new` must name one component: `{EXAMPLE}`."),
        (["new", "a", "b"], f"`mmlm plugin new` must name one component, not 2: `{EXAMPLE}`."),
        (["new", "x"], f"`--kind` must say what the component is, as `{EXAMPLE}` does. Choices: {KIND_CHOICES}."),
        (["new", "x", "--kind", "bacbone"], "`bacbone` is no kind of component. Did you mean `backbone`? "
         f"Choices: {KIND_CHOICES}."),
        (["new", "x", "--kind", "encoder/Point-Cloud"], "The modality of `encoder/Point-Cloud` must have lower case "
         "letters, digits and underscores alone."),
        (["new", "x", "--kind", "encoder/prompt"], "The kind `encoder/prompt` cannot be: `prompt` is what a generated "
         "text begins with."),
        (["new", "x", "--kind", "encoder"], "The kind `encoder` must name its modality, as `encoder/image` does."),
        (["new", "PointNet-2", "--kind", "head"], f"`PointNet-2` cannot name a plugin: {RULE} "
         "Did you mean `point_net_2`?"),
        (["new", "Émile", "--kind", "head"], f"`Émile` cannot name a plugin: {RULE} Did you mean `emile`?"),
        (["new", "2", "--kind", "head"], f"`2` cannot name a plugin: {RULE}"),
        (["new", "class", "--kind", "head"], "`class` cannot name a plugin: it is a word of Python. "
         "Did you mean `my_class`?"),
        (["new", "mmlm-core", "--kind", "head"], "`mmlm-core` cannot name a plugin: that is the core itself. "
         "Did you mean `my_core`?"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_arguments_is_told(
    mmlm: Mmlm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert mmlm("plugin", *arguments) == (2, "", f"error: {told}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_never_written_into(
    mmlm: Mmlm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("all of it")
    words = ["plugin", "new", "mine", "--kind", "fusion", "--folder", str(folder)]
    told = f"`{folder}` is there already: give another folder, as `--folder mmlm-mine`."
    assert mmlm(*words) == (2, "", f"error: {told}\n")
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]
    (folder / "thesis.txt").unlink()
    assert mmlm(*words)[0] == 0
    assert mmlm("plugin", "new", "mine", "--kind", "fusion")[0] == 0
    told = "`mmlm-mine` is there already: give another folder, as `--folder mmlm-mine-2`."
    assert mmlm("plugin", "new", "mine", "--kind", "fusion")[2].endswith(f"error: {told}\n")


def test_everything_that_is_wrong_is_told_at_once(mmlm: Mmlm, tmp_path: Path) -> None:
    errors = mmlm("plugin", "new", "Bad", "--kind", "heads", "--folder", str(tmp_path / "x"))[2]
    assert errors.startswith("error: 2 things are wrong:\n- `Bad` cannot name a plugin: ")
    assert "\n- `heads` is no kind of component. Did you mean `head`?" in errors


def test_a_name_that_an_installed_plugin_gives_is_noted(mmlm: Mmlm, tmp_path: Path) -> None:
    code, _, errors = mmlm("plugin", "new", "gru", "--kind", "backbone", "--folder", str(tmp_path / "gru"))
    assert code == 0
    assert errors == (
        "note: `backbone=gru` is given by mmlm-toys already: with both installed, neither can be chosen.\n"
    )


def test_the_names_of_imported_classes_are_never_taken() -> None:
    for kind in ASKED:
        base = kind.partition("/")[0]
        for name in (base, "data", "generative"):
            (text,) = (text for path, text in render(kind, name).items() if path == f"mmlm_{name}/{name}.py")
            own = set(re.findall(r"^class (\w+)", text, flags=re.MULTILINE))
            imported = {word.strip() for line in re.findall(r"^from .* import (.*)$", text, flags=re.MULTILINE)
                        for word in line.split(",")}  # fmt: skip
            assert own and not own & imported


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mmlm plugin ", ["new"]),
        ("mmlm plugin new x --k", ["--kind"]),
        ("mmlm plugin new x --kind enc", ["encoder/image", "encoder/text"]),
        ("mmlm plugin new x --folder ", []),  # bash completes folders
        ("mmlm plugins ch", ["check"]),
        ("mmlm plugins check ", ["toys"]),
    ],
)
def test_its_words_are_completed(menu: Menu, line: str, expected: list[str]) -> None:
    assert candidates(line.split(" "), lambda: menu) == expected


def test_an_item_of_a_new_modality_is_a_list_or_an_npy_file_and_nothing_else(
    made: dict[str, Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = made["encoder/pointcloud"]
    monkeypatch.syspath_prepend(str(one.folder))
    read = importlib.import_module(f"mmlm_{one.name}.reading").read
    points = [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    np.save(tmp_path / "points.npy", np.array(points, dtype=np.int16))
    np.save(tmp_path / "objects.npy", np.array([{}, {}], dtype=object))
    np.savez(tmp_path / "several.npz", np.array(points))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "points.npy").read_bytes()[:-3])
    (tmp_path / "empty.npy").write_bytes(b"")
    assert read(points, 3).tolist() == read(tmp_path / "points.npy", 3).tolist() == points
    broken = [tmp_path / name for name in ("objects.npy", "several.npz", "cut.npy", "empty.npy", "none.npy")]
    for item in (*broken, 3.5, [], [[]], [[1.0], [1.0, 2.0]], [[0.0, 1.0]], [[0.0, 1.0, float("nan")]], "", None, {}):
        with pytest.raises(DataError):
            read(item, 3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ASKED)
def test_the_readmes_command_trains(made: dict[str, Made], tmp_path: Path, kind: str) -> None:
    one = made[kind]
    here = ["run.folder=runs", "run.name=first", "tracker=off", "trainer.threads=1"]
    done = subprocess.run(
        [sys.executable, "-m", "mmlm_core.cli.main", *one.command, *here],
        capture_output=True, text=True, check=False, cwd=tmp_path, env=seeing(made), timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "first" / "model.safetensors").is_file()


@pytest.mark.slow
def test_the_index_takes_what_it_builds(made: dict[str, Made], tmp_path: Path) -> None:
    source = made["encoder/pointcloud"].folder
    for words in (["build", "--no-isolation", "--outdir", str(tmp_path), str(source)],
                  ["twine", "check", "--strict", str(tmp_path / "*")]):  # fmt: skip
        done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2


@pytest.mark.slow
def test_the_cores_wheel_holds_the_templates(tmp_path: Path) -> None:
    wheel = build(ROOT, tmp_path)
    names = set(zipfile.ZipFile(wheel).namelist())
    files = [path for path in FOLDER.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {f"mmlm_core/templates/{path.relative_to(FOLDER).as_posix()}" for path in files} <= names


@pytest.mark.slow
def test_a_wheel_of_it_installs_composes_trains_and_is_loaded_by_another_process(tmp_path: Path) -> None:
    source = tmp_path / "source"
    assert main(["plugin", "new", "radar", "--kind", "encoder/echo", "--folder", str(source)]) == 0
    wheel = build(source, tmp_path / "wheels")
    python = environment(tmp_path / "environment")
    pip(str(python), "install", "--no-deps", "--no-index", str(wheel))
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MMLM_PLUGINS")}

    def run(*words: str, **variables: str) -> str:
        done = subprocess.run([str(python), *words], capture_output=True, text=True, check=False, cwd=tmp_path,
                              env={**env, **variables}, timeout=600)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    mmlm = ("-m", "mmlm_core.cli.main")
    assert "site-packages" in run("-c", "import mmlm_radar; print(mmlm_radar.__file__)")
    words = ["data=radar_samples", "encoder/echo=radar_small", "head=classification", "backbone=gru"]
    assert "width: 64\n" in run(*mmlm, "train", *words, "--cfg", "job", "-p", "encoder.echo")
    run(
        *mmlm,
        "train",
        *words,
        "trainer=debug",
        "trainer.max_steps=2",
        "trainer.threads=1",
        "run.name=first",
        "tracker=off",
    )
    predict = ("import mmlm_core; model = mmlm_core.load('runs/first'); "
               "print(model.generate(echo=[[[0.0, 1.0, 2.0], [1.0, 1.0, 1.0]]]))")  # fmt: skip
    assert run("-c", predict).strip() in {"line", "ellipse", "cloud"}
    assert re.search(r"encoder/echo +.*radar", run(*mmlm, "train", "--help"))
    line = "mmlm train encoder/echo=rad"
    given = run(*mmlm, "--complete", COMP_LINE=line, COMP_POINT=str(len(line)), COMP_WORDBREAKS=" =:")
    assert given.splitlines() == ["radar", "radar_small"]
    assert "radar of mmlm-radar 0.1.0\n" in run(*mmlm, "plugins", "check", "mmlm-radar")


def pip(python: str, *words: str) -> None:
    """Run this environment's pip on an environment's packages."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--python", python, *words],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def build(source: Path, folder: Path) -> Path:
    """Build the wheel of a distribution, without a network."""
    pip(sys.executable, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(folder), str(source))
    (wheel,) = folder.glob("*.whl")
    return wheel


def environment(folder: Path) -> Path:
    """Make an environment that sees this one's packages, and return its interpreter."""
    venv.create(folder)
    python = folder / "bin" / "python"
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    theirs = Path(subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=True).stdout.strip())
    ours = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    # Not `--system-site-packages`, which means those of the interpreter; and `addsitedir` sees editable installs.
    (theirs / "dependencies.pth").write_text(f"import site; site.addsitedir({str(ours)!r})\n")
    return python
