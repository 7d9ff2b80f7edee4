"""Of several processes that fail, one tells why."""

from pathlib import Path

import pytest

from mmlm_core.errors import DataError, RunError
from mmlm_core.runs import RunFolder
from mmlm_core.training.one_error import one_error

CLOSED = "[pair.cc:561] Connection closed by peer [127.0.0.1]:28300."


def fail(folder: Path, error: Exception, processes: int = 2) -> None:
    with one_error(RunFolder(folder), processes):
        raise error


def test_the_first_error_is_told_and_no_other(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^`a\.csv:1`$"):
        fail(tmp_path, DataError("`a.csv:1`"))
    with pytest.raises(SystemExit) as ended:
        fail(tmp_path, DataError("`a.csv:2`"))
    assert ended.value.code == 2


def test_another_process_tells_its_error_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(SystemExit):
        fail(tmp_path, DataError("`a.csv:1`"))
    assert capsys.readouterr().err == "error: `a.csv:1`\n"


def test_a_connection_that_is_closed_tells_nothing_where_the_reason_was_told(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        fail(tmp_path, DataError("`a.csv:1`"))
    with pytest.raises(SystemExit):
        fail(tmp_path, RuntimeError(CLOSED))


def test_a_connection_that_is_closed_for_no_known_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmlm_core.training.one_error.PATIENCE", 0.0)
    with pytest.raises(RunError, match=r"^Another process of this training has ended: what it wrote says why\.$"):
        fail(tmp_path, RuntimeError(CLOSED))


def test_errors_of_one_process_and_errors_of_ours_pass(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Connection closed"):
        fail(tmp_path, RuntimeError(CLOSED), processes=1)
    with pytest.raises(RuntimeError, match="shapes"):
        fail(tmp_path, RuntimeError("shapes cannot be multiplied"))
    assert not list(tmp_path.iterdir())
