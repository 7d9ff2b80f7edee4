"""Metrics of groups of rows: beside those of all, in the evaluation's file, on the page, and on the terminal."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from mmlm_core.cli.main import main


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over rows of which two thirds are of the group `cat`, some of `dog`, and one of none."""
    folder = tmp_path_factory.mktemp("groups")
    rows = [(f"word{i % 5} {i}", "ab"[i % 2], "" if i == 7 else "dog" if i % 3 == 0 else "cat") for i in range(60)]
    with (folder / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label", "animal"), *rows])
    code = main(["train", "data=table", f"data.path={folder / 'rows.csv'}", f"data.test={folder / 'rows.csv'}",
                 "data.inputs.text=text", "data.target=label", "data.groups=animal", "tokenizer=char",
                 "encoder/text=embedding", "backbone=gru", "backbone.width=8", "head=classification",
                 "trainer.max_steps=2", "trainer.progress=false", "tracker=off", f"run.folder={folder}",
                 "run.name=run"])  # fmt: skip
    assert code == 0
    return folder / "run"


def test_each_group_has_its_metrics_over_its_own_rows(run: Path) -> None:
    told = json.loads((run / "metrics_test.json").read_text())
    groups = told["groups"]
    assert {name: figures["rows"] for name, figures in groups.items()} == {"cat": 39, "dog": 20}
    predictions = [json.loads(line) for line in (run / "predictions.jsonl").read_text().splitlines()]
    animals = {f"rows.csv:{i + 1}": "" if i == 7 else "dog" if i % 3 == 0 else "cat" for i in range(60)}
    right = Counter(animals[row["key"]] for row in predictions if row["prediction"] == row["reference"])
    for name, figures in groups.items():
        assert figures["accuracy"] == pytest.approx(right[name] / figures["rows"])


def test_the_page_and_the_terminal_show_them(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (run / "report.html").read_text()
    assert "<h2>Groups of test</h2>" in page
    assert "<tr><th>cat</th><td>39</td>" in page
    assert main(["eval", str(run)]) == 0
    head, rows, *_ = capsys.readouterr().out.rpartition("\ngroups")[2].split("\n", 1)[1].splitlines()
    assert (head.split(), rows.split()) == (["cat", "dog"], ["rows", "39", "20"])
