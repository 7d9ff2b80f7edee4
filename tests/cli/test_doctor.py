"""`mmlm doctor`: what is wrong with an environment, and what to do about it."""

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import pytest

from mmlm_core.cli import doctor_command
from mmlm_core.cli.main import main
from mmlm_core.plugins import Plugin

Mmlm = Callable[..., tuple[int, str, str]]


@pytest.fixture
def examined(capsys: pytest.CaptureFixture[str], toys: object) -> Callable[[], tuple[int, str]]:
    """The exit code and what is printed, its columns a space apart."""

    def run() -> tuple[int, str]:
        try:
            code = main(["doctor"])
        except SystemExit as ended:
            code = int(ended.code or 0)
        return code, "\n".join(" ".join(line.split()) for line in capsys.readouterr().out.splitlines())

    return run


def test_a_healthy_environment_is_described(examined: Callable[[], tuple[int, str]]) -> None:
    import torch

    code, printed = examined()
    assert code == 0
    assert printed.endswith("\nAll is well.")
    assert f"ok torch {torch.__version__.partition('+')[0]}\n" in printed
    assert "ok plugin toys mmlm-toys 1.2, 16 components\n" in printed


def test_a_package_that_is_missing_or_too_old_is_a_fault_with_its_remedy(
    examined: Callable[[], tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "rich":
            raise importlib.metadata.PackageNotFoundError(name)
        return "0.1" if name == "safetensors" else real(name)

    monkeypatch.setattr(doctor_command, "version", version)
    code, printed = examined()
    words = " ".join(printed.split())
    assert code == 1
    assert "FAULT rich is not installed `pip install 'rich>=13'`" in words
    assert "FAULT safetensors 0.1, and >=0.4 is needed `pip install 'safetensors>=0.4'`" in words
    assert words.endswith("2 faults: see above.")


def test_what_a_plugin_asks_for_and_is_not_there_is_a_fault_with_its_remedy(
    examined: Callable[[], tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"mmlm-toys": ["a-package-that-nobody-has>=2", "pillow>=99", "tomli>=1; extra == 'test'", "torch>=2"]}
    monkeypatch.setattr(doctor_command, "requires", lambda name: asked.get(name, []))
    code, printed = examined()
    words = " ".join(printed.split())
    assert code == 1
    told = "FAULT plugin toys needs a-package-that-nobody-has is not installed `pip install 'a-package-that-nobody-has>=2'`"
    assert told in words
    assert "FAULT plugin toys needs pillow" in words and "and >=99 is needed `pip install 'pillow>=99'`" in words
    assert words.endswith("2 faults: see above.")


def test_a_plugin_that_was_set_aside_is_a_fault_with_its_reason(
    examined: Callable[[], tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> object:
        raise ImportError("No module named 'nowhere'")

    monkeypatch.setattr("mmlm_core.plugins._candidates", lambda: [(Plugin("odd", "mmlm-odd", "0.3"), broken)])
    code, printed = examined()
    assert code == 1
    assert "FAULT plugin odd mmlm-odd 0.3, set aside\n" in printed
    assert (
        "No module named 'nowhere'. Bring it up to date, as `pip install --upgrade mmlm-odd`, or leave it out, as "
        in (" ".join(printed.split()))
    )


def test_a_run_folder_that_cannot_be_written_is_a_fault(
    examined: Callable[[], tuple[int, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor_command.os, "access", lambda path, mode: False)  # root may write anywhere
    code, printed = examined()
    assert code == 1
    assert "FAULT run folder `runs` cannot be written\n" in printed
