"""Features of frozen encoders are computed once and kept, and a training with them is the same as without."""

import json
import subprocess
import sys

import pytest
import torch
from PIL import Image

import mmlm_core
from mmlm_core.composition import Composition
from mmlm_core.data.feature_store import RECORD, usage
from mmlm_core.preparation import prepare
from mmlm_core.runs import create_run
from mmlm_core.training import random_state, resume, train
from mmlm_core.training.session import Session

ROWS, HELD = 12, 3
CNN = ["encoder/image=cnn", "encoder.image.size=16", "encoder.image.channels=[4,8]", "encoder.image.width=8"]
TIMM = ["encoder/image=timm", "encoder.image.model=test_vit", "encoder.image.size=32"]
PLAIN = ["encoder.image.augment.enabled=false"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Return a folder with pictures in a table, and make it the present one."""
    lines = ["picture,label"]
    for number in range(ROWS):
        pixels = torch.randint(0, 256, (20, 20, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(number))
        Image.fromarray(pixels.numpy()).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{'ab'[number % 2]}")
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def words(name: str, *more: str) -> list[str]:
    return [
        "data=table", "data.path=rows.csv", "data.inputs.image=picture", "data.target=label", "data.test_fraction=0",
        "data.validation_fraction=0.2", "tokenizer=none", "backbone=gru", "backbone.width=8", "head=classification",
        "trainer.freeze=[encoder/image]", "trainer.max_epochs=3", "trainer.precision=fp32", "trainer.accelerator=cpu",
        "trainer.threads=1", "trainer.progress=false", "trainer.log_every_steps=1", "tracker.wandb=off",
        "loader.batch_size=3", f"run.name={name}", *more,
    ]  # fmt: skip


def composed(name: str, *more: str) -> Composition:
    return mmlm_core.compose(words(name, *more))


def losses(name: str, *more: str) -> list[float]:
    """Return every loss of a training and of its validations, in order."""
    composition = composed(name, *more)
    folder = create_run(composition.settings.run)
    random_state.seed_all(1)
    Session(folder, prepare(composition)).run(None)
    return [json.loads(line)["loss"] for line in folder.metrics.read_text().splitlines()]


@pytest.fixture
def encoded(monkeypatch):
    """Counts the pictures that encoders of images read."""
    from mmlm_image.cnn import Cnn
    from mmlm_image.timm import Timm

    counts = []
    for kind in (Cnn, Timm):
        original = kind.forward

        def forward(self, items, original=original):
            counts.append(len(items["pixels"]))
            return original(self, items)

        monkeypatch.setattr(kind, "forward", forward)
    return counts


@pytest.mark.parametrize("encoder", [CNN, TIMM], ids=["cnn", "timm"])
def test_a_training_with_kept_features_is_the_same_as_without_and_encodes_each_picture_once(encoder, encoded):
    without = losses("without", *encoder, *PLAIN, "loader.features=off")
    assert sum(encoded) > 3 * ROWS
    encoded.clear()
    first = losses("first", *encoder, *PLAIN)
    assert sum(encoded) == ROWS
    second = losses("second", *encoder, *PLAIN)
    assert sum(encoded) == ROWS
    assert len(without) > 9 and first == pytest.approx(without, rel=1e-5) and second == pytest.approx(without, rel=1e-5)


def test_other_weights_other_options_and_other_content_are_other_features(encoded, folder):
    losses("first", *CNN, *PLAIN)
    encoded.clear()
    losses("seed", *CNN, *PLAIN, "run.seed=2")
    assert sum(encoded) == ROWS
    losses("size", *CNN, *PLAIN, "encoder.image.size=32")
    assert sum(encoded) == 2 * ROWS
    Image.new("RGB", (20, 20), "red").save(folder / "3.png")
    losses("picture", *CNN, *PLAIN)
    assert sum(encoded) == 2 * ROWS + 1


def test_augmented_pictures_are_encoded_anew_and_those_of_the_validation_once(encoded, capsys):
    losses("augmented", *CNN)
    assert sum(encoded) == 3 * (ROWS - HELD) + HELD
    assert "augmented" in capsys.readouterr().out


def test_what_is_not_frozen_as_a_whole_keeps_no_features(folder):
    losses("trained", *CNN, *PLAIN, "trainer.freeze=[encoder/image.stem]", "trainer.max_epochs=1")
    assert not (folder / "cache" / "mmlm" / "features").exists()


def test_workers_find_what_the_training_has_written_since_they_began(encoded):
    without = losses("without", *CNN, *PLAIN, "loader.features=off")
    encoded.clear()
    given = losses("workers", *CNN, *PLAIN, "loader.workers=2", "trainer.validate_rows=0")
    assert given == pytest.approx(without, rel=1e-5)
    assert sum(encoded) < 2 * ROWS  # workers prepare ahead, so some batches of the second epoch come too early


def test_a_damaged_shard_and_one_that_is_cut_off_are_encoded_anew(encoded, folder):
    without = losses("first", *CNN, *PLAIN)
    (data,) = (folder / "cache").rglob("*.data")
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content[:-3])
    encoded.clear()
    assert losses("second", *CNN, *PLAIN) == pytest.approx(without, rel=1e-5)
    assert 2 <= sum(encoded) < ROWS


def test_a_full_folder_is_told_and_the_training_goes_on_and_older_features_make_room(folder, encoded, caplog):
    losses("older", *CNN, *PLAIN, "run.seed=2")
    limit = f"loader.features_gib={9 * 2**10 / 2**30}"
    without = losses("without", *CNN, *PLAIN, "loader.features=off")
    kept = folder / "cache" / "mmlm" / "features"
    assert losses("full", *CNN, *PLAIN, limit) == pytest.approx(without, rel=1e-5)
    assert "loader.features_gib" in caplog.text
    assert len(list(kept.iterdir())) == 1 and usage(kept) <= 9 * 2**10


def test_a_resumed_training_keeps_the_features_of_its_own_weights(folder):
    """They are those of its checkpoint, and not those that its composition begins with."""
    small = [*CNN, *PLAIN, "schedule=constant", "trainer.max_epochs=4"]
    plain = losses("plain", *small, "loader.features=off")
    train(composed("base", *small, "trainer.freeze=[]", "trainer.max_epochs=1"))
    whole, part = (
        train(composed(name, *small, "run.init=runs/base", "loader.features=off", f"trainer.max_epochs={epochs}"))
        for name, epochs in (("whole", 4), ("part", 2))
    )
    config = (part / "config.yaml").read_text()
    assert "max_epochs: 2" in config and "features: 'off'" in config
    (part / "config.yaml").write_text(config.replace("max_epochs: 2", "max_epochs: 4").replace("'off'", "auto", 1))
    (part / "summary.json").unlink()
    resume(part)
    ours, wanted = ([json.loads(line)["loss"] for line in (run / "metrics.jsonl").read_text().splitlines()]
                    for run in (part, whole))  # fmt: skip
    assert len(list((folder / "cache").rglob("*.data"))) == 1
    assert ours == pytest.approx(wanted, rel=1e-5)
    assert losses("again", *small) == pytest.approx(plain, rel=1e-5)


@pytest.mark.slow
def test_two_processes_share_the_features(folder):
    def trained(name: str, *more: str) -> list[float]:
        two = words(name, *CNN, *PLAIN, "trainer.devices=2", "trainer.strategy=ddp", *more)
        command = [sys.executable, "-m", "mmlm_core.cli.main", "train", *two]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        lines = (folder / "runs" / name / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line)["loss"] for line in lines]

    def kept() -> int:
        return sum(index.stat().st_size for index in (folder / "cache").rglob("*.index")) // RECORD.size

    without = trained("without", "loader.features=off")
    assert kept() == 0
    assert trained("first") == pytest.approx(without, rel=1e-5)
    after_the_first = kept()
    assert ROWS <= after_the_first < 2 * ROWS
    assert trained("second") == pytest.approx(without, rel=1e-5)
    assert kept() == after_the_first
