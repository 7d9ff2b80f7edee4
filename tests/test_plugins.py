"""Broken plugins, each as a real installed distribution: the command line works on, and says what is wrong."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mmlm_core.plugins import Plugin, load_plugins

CASES = Path(__file__).parent / "broken_plugins"

HEALTHY = '''
from dataclasses import dataclass
import mmlm_core
MMLM_API = 1
@dataclass
class Options:
    """A healthy one."""
@mmlm_core.hookimpl
def mmlm_components():
    return [mmlm_core.Component("fusion", "healthy", Options, "mmlm_healthy:Healthy")]
'''


def install(folder: Path, distribution: str, module: str, name: str) -> None:
    """Write what an installer writes beside a module: the distribution's name, version and entry point."""
    info = folder / f"{distribution.replace('-', '_')}-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.3\n")
    (info / "entry_points.txt").write_text(f"[mmlm.plugins]\n{name} = {module}\n")


def run_in(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Run the command line in a process that sees the distributions of a folder too."""
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "120"},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def broken(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with the case's plugin installed, and a healthy one beside it."""
    shutil.copytree(CASES / request.param, tmp_path, dirs_exist_ok=True)
    for text in tmp_path.glob("*.txt"):
        text.rename(text.with_suffix(".py"))
    install(tmp_path, "mmlm-broken", "mmlm_broken", "broken")
    (tmp_path / "mmlm_healthy.py").write_text(HEALTHY)
    install(tmp_path, "mmlm-healthy", "mmlm_healthy", "healthy")
    return tmp_path


FAULTS = {
    "import_error": ("set aside", "ImportError: cannot import name 'hook_impl' from 'mmlm_core'"),
    "missing_dependency": ("set aside", "ModuleNotFoundError: No module named 'a_package_that_is_not_installed'"),
    "syntax_error": ("set aside", "SyntaxError: invalid syntax (mmlm_broken.py, line 3)"),
    "wrong_hook_name": ("set aside", "PluginValidationError: unknown hook 'mmlm_componentz' in plugin"),
    "wrong_hook_signature": ("set aside", "Argument(s) {'registry'} are declared in the hookimpl but can not be found"),
    "raising_hook": ("set aside", "KeyError: 'width'"),
    "another_api": ("incompatible", "it was written for plugin API 2; this mmlm has plugin API 1."),
    "no_api": ("set aside", "it does not say which plugin API it was written for (`MMLM_API = 1`)."),
    "exits": ("set aside", "it exits when it is imported."),
    "no_list": ("set aside", "PluginError: a hook must return a list, not 'mmlm_broken.conf'."),
    "nothing": ("in use, with a warning", "it gives nothing: are its hooks marked with `@mmlm_core.hookimpl`?"),
    "imports_torch": (
        "in use, with a warning",
        "it imports torch when it is declared, which slows every command: name classes by import path only.",
    ),
}


@pytest.mark.parametrize("broken", FAULTS, indirect=True)
def test_a_broken_plugin_is_listed_with_what_is_wrong(broken: Path, request: pytest.FixtureRequest) -> None:
    state, reason = FAULTS[request.node.callspec.params["broken"]]
    code, printed, errors = run_in(broken, "-m", "mmlm_core.cli.main", "plugins")
    assert (code, errors) == (0, "")
    table = printed.split("\n\n")[0]
    rows = {line.split()[0]: line for line in table.splitlines()}
    assert rows["broken"].split()[1:3] == ["mmlm-broken", "0.3"]
    assert rows["healthy"].split()[-2:] == ["in", "use"]
    assert f"broken of mmlm-broken ({state}): " in printed
    assert reason in " ".join(printed.split())
    code, printed, errors = run_in(broken, "-m", "mmlm_core.cli.main", "components", "fusion")
    assert (code, errors) == (0, "") and "fusion=healthy" in printed


@pytest.mark.parametrize("broken", ["missing_dependency", "raising_hook", "exits"], indirect=True)
def test_an_unknown_choice_repeats_why_a_plugin_was_set_aside(broken: Path) -> None:
    code, printed, errors = run_in(broken, "-m", "mmlm_core.cli.main", "train", "fusion=its_own", "--cfg", "job")
    assert (code, printed) == (2, "")
    assert errors.startswith("error: `fusion=its_own`: `its_own` is no choice of `fusion`.")
    assert "`healthy` (mmlm-healthy)" in errors
    assert "\nSet aside: plugin `broken` of mmlm-broken: " in errors


@pytest.mark.parametrize("broken", ["missing_dependency_of_a_class"], indirect=True)
def test_a_class_that_cannot_be_imported_is_told_when_it_is_built(broken: Path) -> None:
    main = ("-m", "mmlm_core.cli.main")
    assert (
        run_in(broken, *main, "train", "fusion=unbuildable", "--cfg", "job", "-p", "fusion.name")[1]
        == '"unbuildable"\n'
    )
    build = "from mmlm_core.plugins import load_plugins; load_plugins().registry.get('fusion', 'unbuildable').load()"
    code, _, errors = run_in(broken, "-c", build)
    assert code == 1
    assert errors.splitlines()[-1] == (
        "mmlm_core.errors.PluginError: `fusion=unbuildable` cannot be loaded from `mmlm_broken_class:Unbuildable`: "
        "No module named 'a_package_that_is_not_installed'"
    )


@pytest.mark.parametrize("broken", ["one_name"], indirect=True)
def test_of_two_plugins_with_one_name_neither_wins_and_all_else_works(broken: Path) -> None:
    install(broken, "mmlm-broken-too", "mmlm_broken_too", "broken_too")
    main = ("-m", "mmlm_core.cli.main")
    told = "`fusion=disputed` is given by mmlm-broken and mmlm-broken-too: neither wins. Uninstall one of them."
    assert told in run_in(broken, *main, "plugins")[1]
    assert run_in(broken, *main, "train", "fusion=disputed")[2] == f"error: `fusion=disputed`: {told}\n"
    code, printed, _ = run_in(broken, *main, "train", "fusion=undisputed", "--cfg", "job", "-p", "fusion")
    assert (code, printed) == (0, "name: undisputed\n")


@pytest.mark.parametrize("broken", ["yaml_that_does_not_parse"], indirect=True)
def test_a_yaml_file_that_does_not_parse_is_told_when_it_is_chosen(broken: Path) -> None:
    main = ("-m", "mmlm_core.cli.main", "train", "--cfg", "job", "-p", "trainer.max_steps")
    assert run_in(broken, *main, "trainer=whole")[:2] == (0, "3\n")
    code, _, errors = run_in(broken, *main, "trainer=half")
    assert code == 2
    path = broken / "mmlm_broken" / "conf" / "trainer" / "half.yaml"
    assert errors.startswith("error: `trainer=half`: `trainer=half` of mmlm-broken is no YAML at line 3: ")
    assert errors.endswith(f" The file is `{path}`.\n")
    assert run_in(broken, "-m", "mmlm_core.cli.main", "train", "--help")[0] == 0


def test_a_broken_plugin_from_a_real_wheel_is_set_aside(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-index"]
    source = tmp_path / "source"
    shutil.copytree(CASES / "missing_dependency", source)
    subprocess.run(
        [*pip, "--no-build-isolation", "--target", str(tmp_path / "site"), str(source)], check=True, timeout=120
    )
    code, printed, _ = run_in(tmp_path / "site", "-m", "mmlm_core.cli.main", "plugins")
    assert code == 0
    assert "ModuleNotFoundError: No module named 'a_package_that_is_not_installed'" in printed


def test_a_module_named_by_the_environment_is_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mmlm_healthy.py").write_text(HEALTHY)
    monkeypatch.setenv("MMLM_PLUGINS", "mmlm_healthy, ")
    script = ("import json; from mmlm_core.plugins import load_plugins; p = load_plugins(); "
              "print(json.dumps([q.name for q in p.found if q.distribution == 'mmlm_healthy']), "
              "'healthy' in p.registry.names('fusion'))")  # fmt: skip
    code, printed, errors = run_in(tmp_path, "-c", script)
    assert (code, errors) == (0, "")
    assert printed == f"{json.dumps(['mmlm_healthy'])} True\n"


@pytest.mark.parametrize("module", ["../x", ".", "no such module", "json"])
def test_a_name_of_no_plugin_in_the_environment_is_set_aside(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMLM_PLUGINS", module)
    found = {plugin.name: plugin for plugin in load_plugins().found}
    assert found[module].fault and not found[module].components


def test_a_plugin_that_gives_a_name_twice_gives_nothing_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    import types
    from dataclasses import make_dataclass

    import mmlm_core

    made = types.ModuleType("twice")
    component = mmlm_core.Component("fusion", "twice", make_dataclass("Options", []), "twice:Twice")
    other = mmlm_core.Component("fusion", "other", make_dataclass("Options", []), "twice:Other")
    made.MMLM_API = 1  # type: ignore[attr-defined]
    made.mmlm_components = mmlm_core.hookimpl(lambda: [other, component, component])  # type: ignore[attr-defined]
    made.mmlm_components.__name__ = "mmlm_components"  # type: ignore[attr-defined]
    monkeypatch.setattr("mmlm_core.plugins._candidates", lambda: [(Plugin("twice", "mmlm-twice"), lambda: made)])
    plugins = load_plugins()
    assert plugins.found[0].fault == "mmlm-twice gives `fusion=twice` twice."
    assert list(plugins.registry) == []
