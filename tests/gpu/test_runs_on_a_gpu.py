"""Whole runs on a GPU, in the precision that is the default there: `pytest -m gpu`. Left out where there is no GPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import mmlm_core
from mmlm_core import generation
from mmlm_core.errors import OptionError
from mmlm_core.evaluation import evaluate
from mmlm_core.preparation import make_source, prepare
from mmlm_core.runs import create_run
from mmlm_core.training import random_state, resume, train
from mmlm_core.training.conductor import Conductor
from mmlm_core.training.session import Session

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")]

DEVICE = "cuda"
SIX_STEPS = ["trainer.accelerator=gpu", "trainer.devices=1", "trainer.strategy=auto", "trainer.max_minutes=null",
             "trainer.max_epochs=null", "trainer.max_steps=6", "trainer.threads=1", "trainer.progress=false",
             "trainer.checkpoint_every_steps=2", "trainer.validate_rows=8", "trainer.average_decay=0.9",
             "tracker.wandb=off", "loader.batch_size=8", "decoding.max_tokens=8"]  # fmt: skip
EMOJI = ["data.limit=40"]
ROWS = ["data=table", "data.path={rows}", "data.test={rows}"]
TEXT = [*ROWS, "data.inputs={{text: text}}", "encoder/text=embedding"]
SMALL = ["backbone.width=32", "backbone.depth=2"]
SYSTEMS = {
    "a CNN before a Transformer": ["experiment=emoji_captioning", *EMOJI],
    "a ViT that a Transformer attends to": [
        "data=emoji", *EMOJI, "tokenizer=word", "encoder/image=vit", "fusion=cross_attention", "head=captioning", *SMALL,
    ],
    "a CNN beside a GRU": [
        "data=emoji", *EMOJI, "tokenizer=char", "encoder/image=cnn", "fusion=film", "backbone=gru", "head=captioning", *SMALL,
    ],
    "pictures and questions": ["experiment=emoji_answering", *EMOJI],
    "CLIP": ["experiment=emoji_retrieval", *EMOJI],
    "segmentation": ["experiment=emoji_segmentation", *EMOJI],
    "segmentation by a text": ["experiment=emoji_referring_segmentation", *EMOJI],
    "classification by a GRU": ["experiment=spam_classification", "data.limit=40", "encoder.text.max_tokens=64"],
    "classification by convolutions": ["experiment=kim_classification", "data.limit=40"],
    "CTC": ["experiment=tone_transcription", "data.rows=60"],
    "sound that a Transformer attends to": [
        "data=tones", "data.rows=60", "tokenizer=char", "encoder/audio=logmel_transformer", "fusion=cross_attention",
        "head=transcription", *SMALL,
    ],
    "GPT": ["experiment=poem_language_modeling", "data.limit=40"],
    "packed texts": ["data=prose", "data.limit=40", "tokenizer=byte", "head=language_modeling", "head.pack=true", *SMALL],
    "a Mamba": ["data=prose", "data.limit=40", "tokenizer=byte", "backbone=mamba", "head=language_modeling", *SMALL],
    "BERT": [*TEXT, "tokenizer=wordpiece", "head=masked_language_modeling", *SMALL],
    "T5": [*ROWS, "encoder/text=transformer", "fusion=cross_attention", "head=translation", "data.target=text",
           "data.inputs={{text: text}}", *SMALL],
    "tagging": [*TEXT, "tokenizer=char", "backbone=lstm", "head=tagging", "data.target=tags", *SMALL],
    "spans": [*TEXT, "head=span", "data.target=answers", *SMALL],
    "numbers": [*TEXT, "backbone=cnn", "head=regression", "data.target=numbers", *SMALL],
    "a dialogue": ["experiment=small_dialogue", "data.limit=40"],
    "a schema": ["experiment=emoji_commands", *EMOJI],
}  # fmt: skip


class PowerCut(BaseException):
    """Ends a training at once."""


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts with a target of every kind."""
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    texts = [f"the {size} {colour} square of {number}" for number in range(4)
             for size in ("big", "small") for colour in ("red", "green", "blue")]  # fmt: skip
    lines = [{"text": text, "tags": text.upper().split(), "answers": text[4:8].strip(), "numbers": index}
             for index, text in enumerate(texts)]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def composed(system: str, rows: Path, folder: Path, name: str, *more: str):
    overrides = [override.format(rows=rows) for override in SYSTEMS[system]]
    return mmlm_core.compose([*overrides, *SIX_STEPS, f"run.folder={folder}", f"run.name={name}", *more])


def cut(composition, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train until the power fails after a step."""
    original = Conductor.on_train_batch_end

    def end(self, trainer, *rest):
        original(self, trainer, *rest)
        if trainer.global_step == step:
            raise PowerCut

    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        patch.setattr(Conductor, "on_train_batch_end", end)
        train(composition)


def weights(run: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(run / "model.safetensors")


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_run_trains_is_measured_and_predicts_on_a_gpu_and_is_read_on_a_cpu(system, rows, tmp_path):
    run = train(composed(system, rows, tmp_path, "run"))
    measured = json.loads((run / "metrics_test.json").read_text(encoding="utf-8"))
    again = evaluate(run, progress=False)
    assert again["loss"] == pytest.approx(measured["metrics"]["loss"], rel=1e-3)
    there, here = (mmlm_core.load(run, device=device) for device in (DEVICE, "cpu"))
    assert there.device.type == DEVICE
    examples = list(make_source(there.composition).read("test"))[:3]
    blind = [type(each)(each.key, each.inputs, None, each.prompt) for each in examples]
    assert [each["key"] for each in there.predict(blind)] == [each["key"] for each in here.predict(blind)]
    with torch.no_grad():
        losses = [float(each.model.loss(each.batch(examples)).mean) for each in (there, here)]
    assert losses[0] == pytest.approx(losses[1], rel=5e-3)  # convolutions compute in TF32 on a GPU
    if "generates" in there.composition["head"].traits.provides:
        batch, decoding = there.batch(blind), there.composition.settings.decoding
        cached, uncached = (generation.generate(there.model, batch, decoding, cache=cache) for cache in (True, False))
        assert [row.ids for row in cached] == [row.ids for row in uncached]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_run_cut_and_resumed_on_a_gpu_ends_where_the_whole_one_does(
    system, rows, tmp_path, monkeypatch, record_property
):
    """Within rounding: sums of atomic operations have no order. Whether it is bit for bit, the test's record says."""
    whole = weights(train(composed(system, rows, tmp_path, "whole")))
    cut(composed(system, rows, tmp_path, "cut"), 5, monkeypatch)
    torch.manual_seed(99)
    resumed = weights(resume(tmp_path / "cut"))
    again = weights(train(composed(system, rows, tmp_path, "again")))
    for name, other in (("resumed", resumed), ("again", again)):
        gap = max(float((whole[key] - other[key]).abs().max()) for key in whole)
        record_property(name, gap)
    assert resumed.keys() == whole.keys()
    for key in whole:
        torch.testing.assert_close(resumed[key], whole[key], rtol=0.02, atol=0.02)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_deterministic_run_is_resumed_bit_for_bit_on_a_gpu(system, rows, tmp_path, monkeypatch):
    try:
        whole = train(composed(system, rows, tmp_path, "whole", "run.deterministic=true"))
        cut(composed(system, rows, tmp_path, "cut", "run.deterministic=true"), 5, monkeypatch)
        torch.manual_seed(99)
        resumed = resume(tmp_path / "cut")
    except OptionError as error:  # as for CTC's loss and that of pixels
        pytest.skip(str(error))
    finally:
        torch.use_deterministic_algorithms(False)
    assert (resumed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("system", ["a CNN before a Transformer", "CTC", "CLIP", "segmentation", "GPT"])
def test_other_precisions_train_on_a_gpu(system, precision, rows, tmp_path):
    run = train(composed(system, rows, tmp_path, "run", f"trainer.precision={precision}"))
    assert all(tensor.isfinite().all() for tensor in weights(run).values())


@pytest.mark.parametrize("system", ["a CNN before a Transformer", "CTC", "GPT"])
def test_a_compiled_model_trains_on_a_gpu(system, rows, tmp_path):
    run = train(composed(system, rows, tmp_path, "run", "trainer.compile=true"))
    assert mmlm_core.load(run, device="cpu").device.type == "cpu"


@pytest.mark.parametrize(
    ("system", "part"), [("a CNN beside a GRU", "backbone"), ("classification by a GRU", "backbone")]
)
def test_what_lies_before_a_frozen_recurrent_part_is_trained_on_a_gpu(system, part, rows, tmp_path):
    run = train(composed(system, rows, tmp_path, "run", f"trainer.freeze=[{part}]"))
    assert json.loads((run / "summary.json").read_text(encoding="utf-8"))["steps"] == 6


def test_a_run_made_on_a_cpu_is_measured_and_further_trained_on_a_gpu(rows, tmp_path):
    run = train(composed("a CNN before a Transformer", rows, tmp_path, "run", "trainer.accelerator=cpu"))
    measured = json.loads((run / "metrics_test.json").read_text(encoding="utf-8"))
    assert mmlm_core.load(run).device.type == DEVICE
    assert evaluate(run, progress=False)["loss"] == pytest.approx(measured["metrics"]["loss"], rel=5e-3)
    further = train(composed("a CNN before a Transformer", rows, tmp_path, "further", f"run.init={run}"))
    assert weights(further).keys() == weights(run).keys()


def test_features_of_a_frozen_encoder_are_kept_by_a_gpu(rows, tmp_path, monkeypatch):
    """A training that finds them does not encode its pictures again, and ends with the same weights."""
    from mmlm_image.cnn import Cnn

    frozen = ["trainer.freeze=[encoder/image]", "encoder.image.augment.enabled=false", "trainer.precision=fp32"]
    encoded, forward = [], Cnn.forward
    monkeypatch.setattr(
        Cnn, "forward", lambda self, items: encoded.append(len(items["pixels"])) or forward(self, items)
    )

    def trained(name: str, features: object) -> dict[str, torch.Tensor]:
        encoded.clear()
        words = (*frozen, f"loader.features={features}")
        composition = composed("a CNN before a Transformer", rows, tmp_path, name, *words)
        random_state.seed_all(1)
        preparation = prepare(composition)
        Session(create_run(composition.settings.run), preparation).run(None)
        return {key: value.cpu() for key, value in preparation.model.state_dict().items()}

    without = trained("without", "off")
    assert encoded
    for name in ("first", "second"):
        found = trained(name, tmp_path / "features")
        for key, expected in without.items():
            torch.testing.assert_close(found[key], expected, rtol=0.02, atol=0.02)
    assert not encoded


def test_the_commands_work_on_a_gpu(tmp_path):
    def mmlm(*words: object) -> str:
        command = [sys.executable, "-m", "mmlm_core.cli.main", *map(str, words)]
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path, timeout=300).stdout

    mmlm("train", *SYSTEMS["GPT"], *SIX_STEPS, "run.name=gpt")
    assert "loss" in json.loads(mmlm("eval", "runs/gpt", "--json", "data.limit=20"))
    assert mmlm("generate", "runs/gpt", "--prompt", "明月").startswith("明月")
