"""The experiment with tones trains, is evaluated, and predicts files of sound."""

from pathlib import Path

import pytest
import soundfile

import mmlm_core
from mmlm_audio.tones import TonesSource
from mmlm_audio.tones_options import TonesOptions
from mmlm_core.cli.main import main
from mmlm_core.errors import DataError
from mmlm_core.evaluation import evaluate
from mmlm_core.plugins import load_plugins
from mmlm_core.training import train

SMALL = ["experiment=tone_transcription", "data.rows=60", "encoder.audio.channels=8", "encoder.audio.width=16",
         "backbone.width=16", "trainer.max_steps=4", "trainer.max_epochs=null", "trainer.progress=false",
         "tracker.wandb=off"]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = [*SMALL, f"run.folder={tmp_path_factory.mktemp('runs')}"]
    return train(mmlm_core.compose(words), load_plugins(), overrides=[])


def test_its_report_shows_spectrograms_and_its_metrics_are_rates_of_errors(run: Path) -> None:
    metrics = evaluate(run, progress=False)
    assert {"loss", "cer", "wer", "exact_match"} == set(metrics)
    assert "data:image/png" in (run / "report.html").read_text()


def test_files_folders_bytes_and_arrays_predict_alike(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = TonesSource(TonesOptions()).read("test")[0]
    (tmp_path / "sounds" / "deeper").mkdir(parents=True)
    (tmp_path / "sounds" / "a.wav").write_bytes(row.inputs["audio"][0])
    samples, rate = soundfile.read(tmp_path / "sounds" / "a.wav")
    soundfile.write(tmp_path / "sounds" / "deeper" / "b.FLAC", samples, rate)
    (tmp_path / "sounds" / "notes.txt").write_text("no sound")
    model = mmlm_core.load(run)
    items = [row.inputs["audio"][0], str(tmp_path / "sounds" / "a.wav"), {"array": samples, "sampling_rate": rate}]
    first, *others = [prediction["prediction"] for prediction in model.predict({"audio": item} for item in items)]
    assert isinstance(first, str) and others == [first, first]
    assert main(["predict", str(run), str(tmp_path / "sounds")]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2 and "a.wav" in printed[0] and "b.FLAC" in printed[1]


def test_a_table_reads_sounds_by_paths_beside_it(tmp_path: Path) -> None:
    rows = TonesSource(TonesOptions()).read("train")
    for number in range(6):
        (tmp_path / f"{number}.wav").write_bytes(rows[number].inputs["audio"][0])
    lines = ["file,letters", *(f"{number}.wav,{rows[number].target}" for number in range(6))]
    (tmp_path / "table.csv").write_text("\n".join(lines))
    words = ["data=table", f"data.path={tmp_path / 'table.csv'}", "data.inputs.audio=file", "data.target=letters",
             "encoder/audio=logmel_transformer", "head=ctc", "tokenizer=char", "backbone=gru", "trainer.max_steps=2",
             "backbone.width=16", "trainer.progress=false", "tracker.wandb=off", f"run.folder={tmp_path / 'runs'}"]  # fmt: skip
    assert train(mmlm_core.compose(words), load_plugins(), overrides=[]).is_dir()


def test_a_transcript_that_the_sound_cannot_hold_is_told_with_its_row(tmp_path: Path) -> None:
    words = [*SMALL, "data.least=8", "encoder.audio.subsampling=64", f"run.folder={tmp_path}"]
    with pytest.raises(DataError, match=r"`tones:validation:\d+`: The transcript has 8 tokens.* so needs \d+ positions; its "
                                        r"`audio` has \d\. Let the encoder .* `loader.on_error=skip`\."):  # fmt: skip
        train(mmlm_core.compose(words), load_plugins(), overrides=[])
