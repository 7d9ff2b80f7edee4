"""Every YAML file of the plugin composes, and the experiments train, save, load and predict files."""

from pathlib import Path

import numpy as np
import pytest

import mmlm_core
import mmlm_pointcloud
from mmlm_core.evaluation import evaluate
from mmlm_core.plugins import load_plugins
from mmlm_core.training import train

CONF = Path(mmlm_pointcloud.__file__).parent / "conf"
FILES = sorted(path.relative_to(CONF) for path in CONF.rglob("*.yaml"))
SMALL = ["data.rows=100", "data.points=32", "encoder.pointcloud.channels=[8]", "backbone.width=16", "backbone.heads=2",
         "trainer.max_steps=4", "trainer.max_epochs=null", "trainer.progress=false", "tracker.wandb=off"]  # fmt: skip


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin is found whether it is installed or only stands on the path."""
    monkeypatch.setenv("MMLM_PLUGINS", "mmlm_pointcloud.plugin")


def test_there_are_experiments() -> None:
    assert [str(path) for path in FILES] == ["experiment/shape_captioning.yaml", "experiment/shape_classification.yaml"]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_composes(path: Path) -> None:
    composition = mmlm_core.compose([f"{path.parent}={path.stem}"])
    assert composition.modalities() == ["pointcloud"]
    assert composition["data"].component.name == "shapes"


def test_a_modality_that_the_core_does_not_know_is_an_ordinary_slot() -> None:
    composition = mmlm_core.compose(["data=shapes", "encoder/pointcloud=pointnet", "head=classification"])
    assert composition["projection/pointcloud"].component.name == "linear"
    assert composition.suffixes() == {".ply": "pointcloud", ".npy": "pointcloud"}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_an_experiment_trains_is_evaluated_and_predicts_files(path: Path, tmp_path: Path) -> None:
    composition = mmlm_core.compose([f"{path.parent}={path.stem}", *SMALL, f"run.folder={tmp_path / 'runs'}"])
    run = train(composition, load_plugins(), overrides=[])
    metrics = evaluate(run, progress=False)
    assert np.isfinite(metrics["loss"])
    assert "data:image/png" in (run / "report.html").read_text()  # the report shows the clouds
    cloud = np.random.default_rng(0).normal(size=(50, 3))
    np.save(tmp_path / "cloud.npy", cloud)
    model = mmlm_core.load(run)
    rows = [{"pointcloud": item} for item in (tmp_path / "cloud.npy", cloud, [cloud.tolist()])]
    first, *others = [{**row, "key": None} for row in model.predict(rows)]
    assert all(other == first for other in others) and first["prediction"] is not None
