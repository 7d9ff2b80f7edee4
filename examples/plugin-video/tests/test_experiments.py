"""Every YAML file of the plugin composes, and the experiments train, save, load and predict files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mmlm_core
import mmlm_video
from mmlm_core.evaluation import evaluate
from mmlm_core.plugins import load_plugins
from mmlm_core.training import train
from mmlm_video.motions import film

CONF = Path(mmlm_video.__file__).parent / "conf"
FILES = sorted(path.relative_to(CONF) for path in CONF.rglob("*.yaml"))
SMALL = ["data.rows=80", "data.frames=2", "data.size=16", "encoder.video.image_options={size: 8, channels: [4]}",
         "backbone.width=16", "backbone.heads=2", "backbone.depth=1", "trainer.max_steps=3", "trainer.max_epochs=null",
         "trainer.progress=false", "tracker.wandb=off"]  # fmt: skip


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin is found whether it is installed or only stands on the path."""
    monkeypatch.setenv("MMLM_PLUGINS", "mmlm_video.plugin")


def test_there_are_experiments() -> None:
    assert [str(path) for path in FILES] == [
        "experiment/motion_captioning.yaml", "experiment/motion_classification.yaml"]  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_composes(path: Path) -> None:
    composition = mmlm_core.compose([f"{path.parent}={path.stem}"])
    assert composition.modalities() == ["video"]
    assert composition["data"].component.name == "motions"


def test_the_files_that_no_mime_type_names_are_films() -> None:
    assert mmlm_core.compose(["experiment=motion_captioning"]).suffixes()[".mkv"] == "video"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_an_experiment_trains_is_evaluated_and_predicts_files(path: Path, tmp_path: Path) -> None:
    composition = mmlm_core.compose([f"{path.parent}={path.stem}", *SMALL, f"run.folder={tmp_path / 'runs'}"])
    run = train(composition, load_plugins(), overrides=[])
    metrics = evaluate(run, progress=False)
    assert np.isfinite(metrics["loss"])
    assert "data:image/png" in (run / "report.html").read_text()  # the report shows the frames
    pictures = [Image.new("RGB", (16, 16), (20 * place, 0, 0)) for place in range(5)]
    (tmp_path / "film.mp4").write_bytes(film(pictures))
    model = mmlm_core.load(run)
    rows = [{"video": item} for item in (tmp_path / "film.mp4", (tmp_path / "film.mp4").read_bytes())]
    first, other = [{**row, "key": None} for row in model.predict(rows)]
    assert other == first and first["prediction"] is not None
