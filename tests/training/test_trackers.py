"""Where figures go, and that no tracker can stop a training."""

import json
import logging
import os

import pytest
from PIL import Image

from mmlm_core.runs import RunFolder
from mmlm_core.settings import TrackerOptions
from mmlm_core.training.trackers import MetricsFile, Tracker, Trackers, make_trackers, wandb_mode
from mmlm_core.types import Example


class Failing(Tracker):
    calls = 0

    def log(self, split, step, epoch, figures):
        Failing.calls += 1
        raise ConnectionError("the server is gone")


@pytest.fixture
def account_free(monkeypatch, tmp_path):
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    return tmp_path / "netrc"


def test_a_line_holds_what_was_measured_and_null_for_what_json_has_no_number_for(tmp_path):
    file = MetricsFile(tmp_path / "metrics.jsonl")
    file.log("train", 3, 0, {"loss": 1.5, "lr": float("nan")})
    line = json.loads((tmp_path / "metrics.jsonl").read_text())
    assert line == {"split": "train", "step": 3, "epoch": 0, "loss": 1.5, "lr": None}


def test_lines_after_a_checkpoint_are_cut_off(tmp_path):
    file = MetricsFile(tmp_path / "metrics.jsonl")
    file.log("train", 1, 0, {"loss": 1.0})
    size = file.size
    file.log("train", 2, 0, {"loss": 2.0})
    file.cut(size)
    assert [json.loads(line)["step"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()] == [1]


def test_a_tracker_that_fails_is_set_aside_with_one_warning_and_the_file_goes_on(tmp_path, caplog):
    trackers = Trackers(MetricsFile(tmp_path / "metrics.jsonl"), [Failing()])
    with caplog.at_level(logging.WARNING):
        trackers.log("train", 1, 0, {})
        trackers.log("train", 2, 0, {})
        trackers.close({})
    assert [record.getMessage() for record in caplog.records] == [
        "Failing is set aside, and the training goes on without it: ConnectionError: the server is gone"
    ]
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 2


def test_wandb_is_offline_where_there_is_no_account(account_free):
    assert wandb_mode("auto") == "offline"


def test_wandb_is_online_where_an_account_is_set_up(account_free, monkeypatch):
    account_free.write_text("machine api.wandb.ai login user password none\n")
    account_free.chmod(0o600)
    assert wandb_mode("auto") == "online"
    account_free.unlink()
    monkeypatch.setenv("WANDB_API_KEY", "x")
    assert wandb_mode("auto") == "online"


def test_wandbs_own_variable_decides_before_the_account_and_our_option_before_that(account_free, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert wandb_mode("auto") == "off"
    assert wandb_mode("offline") == "offline"


def test_a_wandb_that_cannot_start_leaves_the_training_its_file(tmp_path, monkeypatch, caplog):
    import wandb

    def init(**_):
        raise wandb.errors.CommError("no way")

    monkeypatch.setattr(wandb, "init", init)
    trackers = make_trackers(RunFolder(tmp_path), TrackerOptions(wandb="offline"), {})
    trackers.log("train", 1, 0, {"loss": 1.0})
    assert "wandb is set aside" in caplog.text
    assert (tmp_path / "metrics.jsonl").exists()


def test_wandb_offline_writes_figures_and_pictures_into_the_run_folder_alone(
    tmp_path, account_free, monkeypatch, capfd
):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("WANDB_DATA_DIR", "WANDB_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    run = tmp_path / "run"
    run.mkdir()
    trackers = make_trackers(RunFolder(run), TrackerOptions(wandb="auto"), {"backbone": {"name": "gru"}})
    trackers.log("train", 1, 0, {"loss": 1.0})
    row = Example("a:1", {"image": [Image.new("RGB", (8, 8), "red")]}, "a red square")
    trackers.log_samples(1, [(row, {"prediction": "a square"})])
    trackers.close({"loss": 1.0})
    files = [path for path in run.rglob("*") if path.is_file()]
    assert any(path.suffix == ".wandb" for path in files)
    assert any(path.read_bytes().startswith(b"\x89PNG") for path in files)
    assert not [path for path in home.rglob("*") if path.is_file()]
    assert not {"WANDB_DATA_DIR", "WANDB_CACHE_DIR"} & set(os.environ)
    assert capfd.readouterr().out == ""


def test_tensorboard_writes_its_events_into_the_run_folder(tmp_path):
    pytest.importorskip("tensorboard")
    trackers = make_trackers(RunFolder(tmp_path), TrackerOptions(wandb="off", tensorboard=True), {})
    trackers.log("train", 1, 0, {"loss": 1.0})
    trackers.close({})
    assert list((tmp_path / "tensorboard").glob("events.*"))
