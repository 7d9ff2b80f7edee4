"""Completion in bash: what the word at the cursor can become."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from mmlm_core.cli.completion import SCRIPT, candidates
from mmlm_core.cli.main import COMMANDS, main
from mmlm_core.cli.menu import Menu

Mmlm = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mmlm tr", ["train"]),
        ("mmlm --ver", ["--version"]),
        ("mmlm train back", ["backbone=", "backbone."]),
        ("mmlm train enc", ["encoder/image=", "encoder/text="]),
        ("mmlm train backbone=", ["backbone=bert", "backbone=gru", "backbone=lstm", "backbone=transformer"]),
        ("mmlm train backbone=g", ["backbone=gru"]),
        ("mmlm train -m backbone=gru,l", ["backbone=gru,lstm"]),
        ("mmlm train backbone=gru backbone.wi", ["backbone.width="]),
        ("mmlm train backbone.wi", []),  # the default has no such option
        ("mmlm train backbone=gru backbone.cell=", ["backbone.cell=plain", "backbone.cell=gated"]),
        ("mmlm train backbone=gru backbone.reverse=t", ["backbone.reverse=true"]),
        ("mmlm train ~backb", ["~backbone=", "~backbone."]),
        ("mmlm train encoder.im", ["encoder.image."]),
        ("mmlm train trainer=", [f"trainer={name}" for name in ("debug", "default", "gpu", "laptop", "multi_gpu")]),
        ("mmlm train trainer.precision=b", ["trainer.precision=bf16"]),
        ("mmlm train --mul", ["--multirun"]),
        ("mmlm train --cfg ", ["job", "hydra", "all"]),
        ("mmlm train data=table data.path=", []),  # bash completes files
        ("mmlm predict runs/", []),
        ("mmlm predict runs/x decoding.temp", ["decoding.temperature="]),
        ("mmlm components enc", ["encoder/image", "encoder/text"]),
        ("mmlm components show backbone/g", ["backbone/gru"]),
    ],
)
def test_the_word_at_the_cursor_is_completed(menu: Menu, line: str, expected: list[str]) -> None:
    assert candidates(line.split(" "), lambda: menu) == expected


def test_answers_are_cut_where_readline_cuts_words(mmlm: Mmlm, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "mmlm train backbone=g and what follows the cursor"
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_POINT", str(len("mmlm train backbone=g")))
    monkeypatch.setenv("COMP_WORDBREAKS", " =:")
    assert mmlm("--complete") == (0, "gru\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_of_a_command_is_completed(menu: Menu, capsys: pytest.CaptureFixture[str], command: str) -> None:
    with suppress(SystemExit):  # as argparse ends its help
        main([command, "--help"])
    flags = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out))
    assert flags == set(candidates(["mmlm", command, "--"], lambda: menu))


def test_another_shell_is_an_error(mmlm: Mmlm) -> None:
    assert (
        mmlm("--completion", "fish")[2]
        == "error: `--completion fish`: there is completion for one shell. Choices: `bash`.\n"
    )


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    program = tmp_path / "mmlm"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mmlm_core.cli.main "$@"\n')
    program.chmod(0o755)
    ask = """
        eval "$(mmlm --completion bash)"
        COMP_WORDS=(mmlm train trainer = lap); COMP_CWORD=4; COMP_LINE="mmlm train trainer=lap"; COMP_POINT=22
        _mmlm_complete
        echo "${COMPREPLY[@]}"
    """
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True, timeout=60,
                          env={"PATH": f"{tmp_path}:/usr/bin:/bin"})  # fmt: skip
    assert done.stdout == "laptop\n"
    assert "_mmlm_complete" in SCRIPT
