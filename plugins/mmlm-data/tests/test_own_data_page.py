"""The lines of the page on own data, as they stand there, on data of each format."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

import mmlm_core
from mmlm_core.cli.main import main
from mmlm_core.data import collate_examples
from mmlm_core.preparation import prepare
from mmlm_data.specimens import CAPTIONS, COLOURS, SPECIMENS, sound, written

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "own-data.md"
LINES = re.findall(r"\| `mmlm (train data=.*)` \|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)

PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'


def more(folder: Path) -> None:
    """Write what the page's lines name beside the specimens."""
    written(
        folder / "pairs.tsv",
        "".join(f"{caption}\t{colour}\n" for caption, colour in zip(CAPTIONS, COLOURS, strict=True)),
    )
    written(folder / "de.po", PO + "\n\n".join(f'msgid "{caption}"\nmsgstr "ein Quadrat"' for caption in CAPTIONS))
    for number, caption in enumerate(CAPTIONS):
        written(folder / "aclImdb" / "train" / ("pos", "neg")[number % 2] / f"{number}.txt", caption)


def sounds_by_class(folder: Path) -> None:
    for number, colour in enumerate(COLOURS):
        written(folder / "by_class" / colour / f"{number}.wav", sound(number))


def coco_validation(folder: Path) -> None:
    shutil.copytree(folder / "train2017", folder / "val2017")
    annotations = folder / "annotations"
    shutil.copy(annotations / "captions_train2017.json", annotations / "captions_val2017.json")


BESIDE: dict[str, Callable[[Path], None]] = {"text": more, "parallel": more, "coco_captions": coco_validation}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A folder with what a line names, where the tests of it run."""
    line: str = request.param if hasattr(request, "param") else request.node.callspec.params["line"]
    name = re.match(r"train data=(\w+)", line)[1]  # type: ignore[index]
    if name == "folder" and "encoder/audio" in line:
        sounds_by_class(tmp_path)
    else:
        SPECIMENS[name](tmp_path)
        BESIDE.get(name, lambda _: None)(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", LINES)
def test_each_line_composes_and_reads_batches_that_its_model_learns_from(line: str, here: Path) -> None:
    words = shlex.split(line)[1:]
    composition = mmlm_core.compose([*words, "backbone.width=16", "backbone.depth=1"])
    prepared = prepare(composition)
    rows = list(islice(prepared.source.read("train"), 3))
    model = prepared.model
    loss = model.loss(collate_examples(rows, model.processors(), model.head.target_processor()))
    assert loss.mean.isfinite() and loss.count > 0


def test_every_source_has_its_line() -> None:
    named = {re.match(r"train data=(\w+)", line)[1] for line in LINES}  # type: ignore[index]
    assert named == set(SPECIMENS)


TRAINED = [line for line in LINES if re.match(r"train data=(table|folder|conll|webdataset) .*", line)]


@pytest.mark.slow
@pytest.mark.parametrize("line", TRAINED)
def test_lines_train_by_the_command_line(line: str, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    small = [
        "trainer.max_steps=1",
        "trainer.threads=1",
        "tracker=off",
        "run.name=one",
        "backbone.width=16",
        "backbone.depth=1",
    ]
    assert main([*shlex.split(line), *small]) == 0, capfd.readouterr().err
    assert (here / "runs" / "one" / "report.html").is_file()
