"""`mmlm plugins check`: the contracts on what is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmlm_core.cli import plugins_check
from mmlm_core.cli.main import main
from mmlm_core.plugins import Plugin

LATER = """
from mmlm_core import hookimpl
from mmlm_radar import plugin
MMLM_API = 1
@hookimpl
def mmlm_components():
    import sys
    if "pytest" in sys.modules:
        raise RuntimeError("declared once is enough")
    return plugin.mmlm_components()
"""
"""A plugin that declares itself to the command line alone."""

Mmlm = Callable[..., tuple[int, str, str]]


def install(folder: Path, name: str) -> None:
    """Write what an installer writes beside a package: the distribution's name, version and entry point."""
    info = folder / f"mmlm_{name}-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: mmlm-{name}\nVersion: 0.3\n")
    (info / "entry_points.txt").write_text(f"[mmlm.plugins]\n{name} = mmlm_{name}.plugin\n")


def check(folder: Path, *names: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "mmlm_core.cli.main", "plugins", "check", *names], capture_output=True, text=True,
        check=False, env={**os.environ, "PYTHONPATH": str(folder)}, timeout=300,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def radar(tmp_path: Path) -> Path:
    """An encoder of a modality that nobody knows, with samples, installed."""
    assert main(["plugin", "new", "radar", "--kind", "encoder/echo", "--folder", str(tmp_path / "radar")]) == 0
    install(tmp_path / "radar", "radar")
    return tmp_path / "radar"


def test_kept_contracts_are_counted_for_each_component(radar: Path) -> None:
    code, printed, errors = check(radar, "radar")
    assert (code, errors) == (0, "")
    head, *lines = printed.splitlines()
    assert head == "radar of mmlm-radar 0.3"
    assert [re.sub(r"\d+", "N", line) for line in lines] == [
        "  ok      encoder/echo=radar  N passed",
        "  ok      data=radar_samples  N passed",
    ]


def test_a_contract_that_is_not_kept_is_told_with_its_message(radar: Path) -> None:
    path = radar / "mmlm_radar" / "radar.py"
    text = path.read_text(encoding="utf-8")
    wrong = "return Features(values + self.whole(greatest)[..., :-1], mask)"
    path.write_text(text.replace("return Features(values + self.whole(greatest), mask)", wrong), encoding="utf-8")
    assert wrong in path.read_text(encoding="utf-8")
    code, printed, _ = check(radar, "mmlm-radar")
    assert code == 1
    lines = printed.splitlines()
    (failed,) = (line for line in lines if line.startswith("  FAILED"))
    assert re.fullmatch(r"  FAILED  encoder/echo=radar  \d+ passed, \d+ failed", failed)
    assert "    test_its_features_have_its_width" in lines
    assert "The size of tensor a (16) must match the size of tensor b (15)" in printed
    assert any(line.startswith("  ok      data=radar_samples") for line in lines)


def test_samples_that_cannot_be_read_fail_themselves_and_leave_the_encoder_without_items(radar: Path) -> None:
    path = radar / "mmlm_radar" / "samples.py"
    path.write_text(path.read_text(encoding="utf-8").replace("import math", "import maths"), encoding="utf-8")
    code, printed, _ = check(radar, "radar")
    assert code == 1
    assert re.search(r"^  FAILED  data=radar_samples", printed, flags=re.MULTILINE)
    assert "No module named 'maths'" in printed
    assert "contracts(..., items={'echo': [...]})" in printed


def test_a_plugin_whose_contracts_cannot_be_made_says_why(radar: Path) -> None:
    (radar / "mmlm_radar" / "later.py").write_text(LATER, encoding="utf-8")
    (radar / "mmlm_radar-0.3.dist-info" / "entry_points.txt").write_text("[mmlm.plugins]\nradar = mmlm_radar.later\n")
    code, printed, _ = check(radar, "radar")
    assert code == 1
    assert "  the contracts cannot be made:\n" in printed
    assert "RuntimeError: declared once is enough" in printed


def test_a_data_source_that_needs_a_file_is_given_one(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("text,label\n" + "".join(f"row {number},{number % 2}\n" for number in range(30)))
    words = ["data=table", f"data.path={rows}", "data.inputs.text=text", "data.target=label"]
    code, printed, _ = check(tmp_path, "mmlm-data", *words)
    assert code == 0, printed
    head, line = printed.splitlines()  # of the other data sources, which would need other files, nothing is said
    assert re.fullmatch(r"  ok      data=table  \d+ passed", line), head


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["chek", "toys"], "`chek` is no command of `mmlm plugins`. Did you mean `check`? Choices: `check`."),
        (["toys"], "`toys` is no command of `mmlm plugins`. Did you mean `mmlm plugins check toys`? Choices: `check`."),
        (["check"], "`mmlm plugins check` must name a plugin or more. Choices: `toys`."),
        (["check", "mmlm-toy"], "`mmlm-toy` is no installed plugin. Did you mean `mmlm-toys`? Choices: `toys`."),
        (["check", "toys", "dta.path=x"], "`dta.path` begins with no kind of what is checked, as `data.path` does. "
         "Did you mean `data`? Choices: `backbone`, `data`, `encoder/image`, `encoder/text`, `fusion`, `head`, "
         "`optimizer`, `projection`, `schedule`, `tokenizer`."),
        (["check", "toys", "data=tabel"], "`data=tabel` is no component of what is checked. Did you mean `data=table`? "
         "Choices: "),
        (["check", "toys", "data.pth=x"], "`data.pth` is no option of what is checked. Did you mean `path`? "
         "Choices: `encoding`, `inputs`, `path`."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_arguments_is_told(mmlm: Mmlm, arguments: list[str], told: str) -> None:
    code, printed, errors = mmlm("plugins", *arguments)
    assert (code, printed) == (2, "")
    assert errors.startswith(f"error: {told}")


def test_a_plugin_that_was_set_aside_is_told_with_the_reason(mmlm: Mmlm, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> object:
        raise ImportError("No module named 'nowhere'")

    monkeypatch.setattr("mmlm_core.plugins._candidates", lambda: [(Plugin("odd", "mmlm-odd", "0.3"), broken)])
    assert mmlm("plugins", "check", "odd") == (
        2, "", "error: `odd` of mmlm-odd was set aside, so nothing of it can be checked: "
        "ImportError: No module named 'nowhere'\n",
    )  # fmt: skip


def test_without_pytest_the_remedy_is_told(mmlm: Mmlm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins_check, "find_spec", lambda name: None)
    told = "`mmlm plugins check` needs pytest, which is not installed: `pip install pytest`."
    assert mmlm("plugins", "check", "toys") == (2, "", f"error: {told}\n")
