"""The entry point: commands, flags, exit codes."""

from collections.abc import Callable

import pytest

from mmlm_core.cli import main as entry
from mmlm_core.errors import DataError

Mmlm = Callable[..., tuple[int, str, str]]

COMMANDS = ", ".join(f"`{name}`" for name in sorted(entry.COMMANDS))


def test_without_a_command_the_help_is_printed(mmlm: Mmlm) -> None:
    code, printed, _ = mmlm()
    assert code == 0
    assert printed == mmlm("--help")[1] == mmlm("-h")[1]
    assert all(f"\n  {command} " in printed for command in entry.COMMANDS)


@pytest.mark.parametrize("command", [[], ["train"], *([command] for command in entry.COMMANDS)])
def test_every_help_fits_eighty_columns(mmlm: Mmlm, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    if command in (["train"], []):
        code, printed, _ = mmlm(*command, "--help")
        assert code == 0
    else:
        with pytest.raises(SystemExit) as ended:
            mmlm(*command, "--help")
        assert ended.value.code == 0
        return
    assert max(len(line) for line in printed.splitlines()) <= 80


def test_an_unknown_command_names_the_nearest(mmlm: Mmlm) -> None:
    assert mmlm("tran") == (
        2,
        "",
        f"error: `tran` is no command of `mmlm`. Did you mean `train`? Choices: {COMMANDS}.\n",
    )


def test_an_unknown_flag_names_the_nearest(mmlm: Mmlm) -> None:
    assert mmlm("--verson")[2] == (
        "error: `--verson` is no flag of `mmlm`. Did you mean `--version`? "
        "Choices: `--completion`, `--help`, `--version`.\n"
    )
    assert mmlm("train", "--multirn")[2] == (
        "error: `--multirn` is no flag of `mmlm train`. Did you mean `--multirun`? Choices: `--cfg`, `--config-dir`, "
        "`--help`, `--info`, `--multirun`, `--package`, `--resolve`, `--resume`.\n"
    )


def test_a_flag_with_a_wrong_value_is_told(mmlm: Mmlm) -> None:
    code, _, errors = mmlm("train", "--cfg", "jobb")
    assert code == 2
    assert errors == "error: `jobb` is no value of `--cfg`. Did you mean `job`? Choices: `all`, `hydra`, `job`.\n"
    assert mmlm("doctor", "now")[2] == "error: `mmlm doctor` takes no `now`. See `mmlm doctor --help`.\n"


def test_the_version_is_that_of_the_distribution(mmlm: Mmlm) -> None:
    from importlib.metadata import version

    assert mmlm("--version") == (0, f"mmlm {version('mmlm-core')}\n", "")


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (DataError("no."), 2, "error: no.\n"),
        (PermissionError(13, "Permission denied", "runs"), 2, "error: `runs` cannot be used: Permission denied.\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_a_users_error_has_an_exit_code_and_no_traceback(
    mmlm: Mmlm, monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, told: str
) -> None:
    def run(argv: list[str]) -> int:
        raise raised

    monkeypatch.setattr(entry, "_run", run)
    assert mmlm("train") == (code, "", told)


def test_an_error_of_our_own_making_keeps_its_traceback(mmlm: Mmlm, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(argv: list[str]) -> int:
        raise fault

    for fault in (ZeroDivisionError(), OSError("of no file")):
        monkeypatch.setattr(entry, "_run", run)
        with pytest.raises(type(fault)):
            mmlm("train")


def test_an_argument_that_may_be_left_out_is_not_called_required(mmlm: Mmlm) -> None:
    told = "the following arguments are required: RUN."
    assert mmlm("predict")[2] == f"error: `mmlm predict`: {told} See `mmlm predict --help`.\n"
    assert mmlm("eval")[2] == f"error: `mmlm eval`: {told} See `mmlm eval --help`.\n"


def test_what_is_quoted_from_a_file_does_not_steer_the_terminal(capsys) -> None:
    from mmlm_core.cli import say

    say.error("`a\x1b[2J\0\r.csv`\nis\tno file 👩🏽‍🚒")
    assert capsys.readouterr().err == "error: `a\\x1b[2J\\x00\\r.csv`\nis\tno file 👩🏽‍🚒\n"
