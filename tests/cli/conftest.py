"""The command line over a toy plugin alone, whatever is installed."""

import importlib.util
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from mmlm_core.cli.main import main
from mmlm_core.cli.menu import Menu
from mmlm_core.composition import Composition
from mmlm_core.plugins import Plugin, Plugins, load_plugins

FOLDER = Path(__file__).parent


@pytest.fixture(scope="session")
def toy_plugin() -> object:
    spec = importlib.util.spec_from_file_location("mmlm_toy_plugin", FOLDER / "toy_plugin.py")
    assert spec and spec.loader
    module = sys.modules["mmlm_toy_plugin"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def toys(toy_plugin: object, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    """The toy plugin as the only one that is found."""
    found = lambda: [(Plugin("toys", "mmlm-toys", "1.2"), lambda: toy_plugin)]  # noqa: E731
    monkeypatch.setattr("mmlm_core.plugins._candidates", found)
    return load_plugins()


@pytest.fixture
def menu(toys: Plugins) -> Menu:
    return Menu(toys)


@pytest.fixture
def mmlm(toys: Plugins, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command, and return its exit code, its output and its errors."""

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(argv)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def stand_in(monkeypatch: pytest.MonkeyPatch, module: str, **functions: object) -> None:
    """Put a module that holds these functions in another one's place."""
    made = types.ModuleType(module)
    vars(made).update(functions)
    monkeypatch.setitem(sys.modules, module, made)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Composition]:
    """The compositions that were given to the training; what stands in for it imports no torch."""
    given: list[Composition] = []

    def train(composition: Composition, plugins: Plugins, overrides: list[str]) -> Path:
        given.append(composition)
        return Path(composition.settings.run.folder)

    stand_in(monkeypatch, "mmlm_core.training", train=train)
    return given
