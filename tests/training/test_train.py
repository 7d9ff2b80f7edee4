"""Training from a composition to a run folder, through the whole of Lightning, with the toy model."""

import csv
import json
import os
import re
import statistics
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.optim.optimizer import register_optimizer_step_pre_hook

from mmlm_core.cli.main import main
from mmlm_core.errors import MmlmError, OptionError, RunError
from mmlm_core.files import read_lines

HERE = Path(__file__).parent


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("MMLM_PLUGINS", "training_toy_plugin")
    import training_toy_run

    return training_toy_run


@pytest.fixture
def trained(toy, tmp_path):
    """Trains the toy model with some changes, and returns the run folder."""
    from mmlm_core.training import train

    plugins = toy.toy_plugins()

    def go(*changes: str, name: str | None = "x", **slots: object) -> Path:
        return train(toy.toy_composition(plugins, tmp_path, name, *changes, **slots), plugins, changes)

    return go


def lines(run: Path, split: str) -> list[dict[str, float]]:
    every = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [line for line in every if line["split"] == split]


def summary(run: Path) -> dict[str, object]:
    return json.loads((run / "summary.json").read_text())


def test_a_run_folder_holds_all_that_stands_for_it_and_no_leftovers(trained):
    run = trained()
    files = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    assert files == {
        "config.yaml", "overrides.yaml", "environment.json", "facts.json", "model.safetensors", "checkpoints/last.ckpt",
        "metrics.jsonl", "metrics.csv", "summary.json", "samples.json", "samples_validation.json", "predictions.jsonl", "metrics_test.json",
        "report.html",
    }  # fmt: skip


def test_the_table_of_metrics_has_every_line_of_the_log(trained):
    run = trained()
    with (run / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [(row["split"], row["step"], row["loss"]) for row in rows] == [
        (line["split"], str(line["step"]), str(line["loss"])) for line in lines
    ]


def test_a_run_is_evaluated_on_test_beside_both_controls(trained):
    run = trained()
    told = json.loads((run / "metrics_test.json").read_text())
    assert told["rows"] == 12
    assert set(told["controls"]) == {"most frequent answer", "shuffled inputs"}
    predictions = [json.loads(line) for line in (run / "predictions.jsonl").read_text().splitlines()]
    right = sum(line["prediction"] == line["reference"] for line in predictions)
    assert told["metrics"]["accuracy"] == pytest.approx(right / 12)
    assert told["ranges"] == {"accuracy": [0.0, 1.0]}  # the head has no other metric


def test_the_validation_loss_is_that_of_all_rows_whatever_the_batches(trained, toy):
    from mmlm_core.data import collate_examples
    from mmlm_core.prediction import load

    run = trained("loader.batch_size=5", "trainer.max_epochs=1", "trainer.validate_rows=3")  # 12 rows: 5, 5, 2
    predictor = load(run, device="cpu")
    toy.toy_plugins()
    import training_toy_parts

    rows = training_toy_parts.Points(predictor.composition["data"].options).read("validation")
    model = predictor.model
    batch = collate_examples(rows, model.processors(), model.head.target_processor())
    assert lines(run, "validation")[0]["loss"] == pytest.approx(float(model.loss(batch).mean), rel=1e-5)


def test_the_kept_weights_are_those_of_the_best_validation(trained):
    run = trained("trainer.max_epochs=6", optimizer={"lr": 0.3})
    best = max(line["accuracy"] for line in lines(run, "validation"))
    first = next(line["step"] for line in lines(run, "validation") if line["accuracy"] == best)
    assert summary(run)["best_step"] == first
    assert summary(run)["best"]["accuracy"] == best
    assert json.loads((run / "environment.json").read_text())["monitor"] == "accuracy"


def test_the_kept_weights_are_the_averaged_ones(trained):
    run = trained("trainer.max_epochs=1", "trainer.average_decay=0.9")
    kept = load_file(run / "model.safetensors")
    state = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    average = state["callbacks"]["Conductor"]["average"]
    assert all(torch.equal(kept[name], average[name]) for name in average)
    assert not torch.equal(kept["head.output.weight"], state["state_dict"]["model.head.output.weight"])


def test_without_a_validation_split_the_last_weights_are_kept(trained):
    run = trained("data.validation=false", "trainer.max_epochs=1")
    state = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    kept = load_file(run / "model.safetensors")
    assert all(torch.equal(kept[name], state[f"model.{name}"]) for name in kept)


def test_the_learning_rate_follows_the_schedule_from_the_peak_to_its_end(trained):
    run = trained("trainer.max_epochs=1", "trainer.log_every_steps=1")  # 12 steps, 1 - step / 12
    assert [line["lr"] for line in lines(run, "train")] == pytest.approx([0.05 * (1 - step / 12) for step in range(12)])


def test_a_training_that_ends_in_mid_epoch_by_its_steps_is_validated(trained):
    run = trained("trainer.max_steps=5", "trainer.max_epochs=null")
    assert summary(run)["steps"] == 5
    assert [line["step"] for line in lines(run, "validation")] == [5]


def test_without_a_limit_ten_epochs_are_trained(trained):
    assert summary(trained("trainer.max_epochs=null", "loader.batch_size=48"))["steps"] == 10


def test_minutes_limit_a_training_and_drive_the_schedule(trained):
    run = trained("trainer.max_epochs=null", "trainer.max_minutes=0.02", "trainer.log_every_steps=1")
    assert 1.0 <= summary(run)["seconds"] < 6
    rates = [line["lr"] for line in lines(run, "train")]
    assert all(a >= b for a, b in pairwise(rates))
    assert rates[-1] < 0.01 < 0.04 < rates[0]


def test_accumulation_makes_one_update_of_several_batches(trained):
    assert summary(trained("trainer.accumulate=5", "trainer.max_epochs=2"))["steps"] == 2 * 3  # of 12 batches: 5, 5, 2


def test_two_trainings_with_one_seed_end_with_the_same_bytes_and_with_another_they_do_not(trained):
    weights = [trained(*changes, name=name).joinpath("model.safetensors").read_bytes()
               for name, *changes in [("a",), ("b",), ("c", "run.seed=2")]]  # fmt: skip
    assert weights[0] == weights[1] != weights[2]


def test_a_taken_name_is_refused_and_nothing_in_it_is_touched(trained):
    run = trained("trainer.max_epochs=1")
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    expected = (f"`run.name=x` names a run that is there already, `{run}`: choose another name, or go on with it by "
                f"`mmlm train --resume {run}`.")  # fmt: skip
    with pytest.raises(RunError, match=f"^{re.escape(expected)}$"):
        trained()
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_a_training_whose_data_cannot_be_read_leaves_no_folder(trained, tmp_path):
    with pytest.raises(MmlmError):
        trained("data.rows=0")
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_no_number_stops_the_training_and_says_what_to_do(trained):
    with pytest.raises(
        MmlmError, match=re.escape("The loss is not a number any more after step 2: lower `optimizer.lr`")
    ):
        trained(optimizer={"lr": float("inf")})


def test_an_operation_without_an_order_is_refused_where_the_run_must_be_deterministic(trained):
    def unordered(*_):
        torch.zeros(3).put_(torch.tensor([0]), torch.ones(1))  # as CTC's loss on a GPU

    handle = register_optimizer_step_pre_hook(unordered)
    try:
        with pytest.raises(OptionError, match=re.escape("`run.deterministic=true` cannot be kept: `put_`")):
            trained("run.deterministic=true")
        trained("run.name=without")
    finally:
        handle.remove()


def test_what_is_printed_into_a_pipe_is_plain_and_within_100_columns(trained, capsys):
    run = trained("trainer.progress=true", "trainer.max_epochs=2")
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert re.search(r"├─ encoder/point +toy +width 8 +32 +training_toy_plugin\n", out)
    assert "rows: 48 train, 12 validation, 12 test" in out
    assert f"run {run} · fp32, 1 thread · until 2 epochs" in out
    assert "keeps the weights of the highest validation accuracy, marked `best`\n" in out
    assert len([line for line in out.splitlines() if line.startswith("epoch ")]) == 2
    assert "most frequent answer" in out
    assert f"report: {run / 'report.html'}" in out
    assert all(len(line) <= 100 for line in out.splitlines() if str(run) not in line)


def test_the_loss_beside_a_validation_is_that_of_all_steps_since_the_one_before(trained, capsys):
    run = trained("trainer.progress=true", "trainer.max_epochs=2", "trainer.log_every_steps=1")
    lines = [line for line in read_lines(run / "metrics.jsonl") if line["split"] == "train"]
    told = re.findall(r"^epoch .* step +\d+  loss (\S+)  validation loss", capsys.readouterr().out, re.MULTILINE)
    means = [statistics.mean(line["loss"] for line in lines if line["epoch"] == epoch) for epoch in (0, 1)]
    assert [float(figure) for figure in told] == pytest.approx(means, abs=0.002)


def test_an_evaluation_prints_the_end_that_the_training_printed(trained, capsys):
    run = trained("trainer.max_epochs=1")
    end = capsys.readouterr().out.partition("\non `test`, 12 rows")
    assert main(["eval", str(run)]) == 0
    assert capsys.readouterr().out == f"{end[1]}{end[2]}"
    assert "Beside it, controls that have not looked: " in end[2] and end[2].endswith(f"report: {run}/report.html\n")


def test_nothing_is_heard_of_the_trainer_beneath(trained, capfd, caplog):
    trained("trainer.max_epochs=1")
    captured = capfd.readouterr()
    assert captured.err == ""
    assert "lightning" not in captured.out.lower()
    assert caplog.text == ""


def test_evaluating_a_run_needs_neither_lightning_nor_wandb(trained):
    import subprocess
    import sys

    run = trained("trainer.max_epochs=1")
    code = (f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
            "from mmlm_core.evaluation import evaluate\n"
            f"evaluate({str(run)!r}, split='validation')\n"
            "assert not {'lightning', 'wandb', 'hydra', 'timm'} & set(sys.modules), 'heavy'\n")  # fmt: skip
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)
    assert json.loads((run / "metrics_validation.json").read_text())["rows"] == 12


@pytest.mark.parametrize("limit", ["trainer.max_epochs=3", "trainer.max_steps=30"])
def test_the_last_weights_are_validated_whatever_the_interval(trained, limit):
    run = trained("trainer.max_epochs=null", limit, "trainer.validate_every_epochs=100")
    assert [line["step"] for line in lines(run, "validation")] == [summary(run)["steps"]]


def test_lightnings_threads_are_not_left_to_what_comes_after(trained, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    trained()
    assert "OMP_NUM_THREADS" not in os.environ


def test_each_split_keeps_its_evaluation_and_the_report_shows_all(trained, tmp_path):
    import shutil

    from mmlm_core.evaluation import evaluate

    run = tmp_path / "run"
    shutil.copytree(trained(), run)
    kept = {name: (run / name).read_bytes() for name in ("predictions.jsonl", "samples.json")}
    evaluate(run, split="validation", controls=False, progress=False)
    assert {name: (run / name).read_bytes() for name in kept} == kept
    rows = [json.loads(line) for line in (run / "predictions_validation.jsonl").read_text().splitlines()]
    assert len(rows) == json.loads((run / "metrics_validation.json").read_text())["rows"] > 0
    page = (run / "report.html").read_text()
    assert [title for title in re.findall("<h2>(.*?)</h2>", page) if " o" in title] == [
        "Result on test", "Samples of test", "Result on validation", "Samples of validation",
    ]  # fmt: skip


def test_other_figures_of_a_split_are_put_beside_those_before(trained, tmp_path, caplog):
    import shutil

    from mmlm_core.evaluation import evaluate

    run = tmp_path / "run"
    shutil.copytree(trained(), run)
    evaluate(run, controls=False, progress=False)
    assert not (run / "evaluations").exists()
    told = (run / "metrics_test.json").read_text()
    (run / "metrics_test.json").write_text(told.replace('"loss": ', '"loss": 1'))
    evaluate(run, controls=False, progress=False)
    [earlier] = (run / "evaluations").iterdir()
    assert {path.name for path in earlier.iterdir()} == {"metrics_test.json", "predictions.jsonl", "samples.json"}
    assert f"`test` gave other figures before: they are in `{earlier}` now." in caplog.messages
