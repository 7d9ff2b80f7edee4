"""A run that starts from the weights of another: what is taken over, what begins anew, and what is refused."""

import json
import re

import pytest
import torch

import mmlm_core
from mmlm_core.boxes import parts_of
from mmlm_core.errors import RunError
from mmlm_core.plugins import load_plugins
from mmlm_core.preparation import prepare
from mmlm_core.record import record_start
from mmlm_core.runs import RunFolder
from mmlm_core.training.fit import resume, train
from mmlm_core.weights import save_weights

PLUGINS = load_plugins()
ROWS = [("a red square", "red", "x y x"), ("two blue dots", "blue", "y x y")] * 5
TEXT = ("data.inputs.text=text", "encoder/text=transformer", "encoder.text.heads=2", "encoder.text.depth=1")
TABLE = ("data=table", "data.target=label", "backbone=gru", "backbone.width=16", "head=classification",
         "tokenizer=word")  # fmt: skip


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "rows.jsonl"
    lines = [json.dumps({"text": text, "label": label, "tags": tags}) for text, label, tags in ROWS]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def run(table, tmp_path):
    """A run, as a training leaves it, with weights that no other seed draws."""
    return write(tmp_path / "before", compose(table))


def compose(table, *overrides, inputs=TEXT):
    return mmlm_core.compose([*TABLE, *inputs, f"data.path={table}", *overrides])


def write(path, composition):
    torch.manual_seed(7)
    made = prepare(composition)
    with torch.no_grad():
        for parameter in made.model.parameters():
            parameter.normal_()
    folder = RunFolder(path)
    path.mkdir()
    record_start(folder, composition, PLUGINS, [], made.tokenizer, made.facts)
    save_weights(made.model, folder.weights)
    return path


def same(left, right):
    ours, theirs = left.state_dict(), right.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_same_parts_have_the_runs_weights_and_the_tokenizer_its_vocabulary(run, table):
    more = table.with_name("other.jsonl")
    more.write_text(table.read_text().replace("dots", "lines"))
    made = prepare(compose(more, f"run.init={run}", "run.seed=5"))
    before = mmlm_core.load(run)
    assert all(same(part, parts_of(before.model)[slot]) for slot, part in parts_of(made.model).items())
    assert made.tokenizer.encode("dots") != [made.tokenizer.unknown] == made.tokenizer.encode("zebra")
    assert made.started.startswith(f"starts from {run}: token table, encoder/text, fusion, backbone, head (")
    assert "new:" not in made.started


def test_another_head_begins_anew_and_the_rest_is_taken_over(run, table):
    composition = compose(table, f"run.init={run}", "head=tagging", "data.target=tags")
    made = prepare(composition)
    before = parts_of(mmlm_core.load(run).model)
    assert same(made.model.backbone, before["backbone"]) and same(made.model.encoders["text"], before["encoder/text"])
    assert made.started.endswith("parameters); new: head=tagging")
    assert made.model.head.output.weight.abs().max() < 1, "drawn anew: the run's weights are far larger"


def test_a_head_of_other_labels_begins_anew(run, table):
    made = prepare(compose(table, f"run.init={run}", "data.target=tags"))
    assert made.started.endswith("parameters); new: head=classification")


def test_a_causal_run_starts_one_that_reads_both_ways(table, tmp_path):
    small = ("backbone=transformer", "backbone.heads=2", "backbone.depth=1")
    writes = compose(table, *small, "head=language_modeling", "data.target=text", inputs=())
    written = write(tmp_path / "gpt", writes)
    reads = compose(table, *small, f"run.init={written}", inputs=("data.inputs.text=text", "encoder/text=embedding"))
    made, before = prepare(reads).model, mmlm_core.load(written).model
    assert same(made.backbone, before.backbone)
    theirs = before.head.table
    assert same(made.encoders["text"].table, theirs), "one table, whoever embeds with it"


def test_a_fusion_keeps_what_it_has_for_inputs_that_both_read(run, table, tmp_path):
    from mmlm_core.testing.contracts.common import pictures

    (tmp_path / "x.png").write_bytes(pictures()[0])
    lines = [json.dumps({"image": "x.png", "text": text, "label": label}) for text, label, _ in ROWS]
    table.write_text("\n".join(lines), encoding="utf-8")
    pictured = (*TEXT, "data.inputs.image=image", "encoder/image=cnn")
    made = prepare(compose(table, f"run.init={run}", inputs=pictured))
    assert "new: encoder/image=cnn" in made.started and "token table, encoder/text, fusion, backbone" in made.started
    ours, theirs = made.model.fusion.state_dict(), mmlm_core.load(run).model.fusion.state_dict()
    assert theirs.keys() < ours.keys() and all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_positions_of_an_encoder_are_fitted_to_another_size_of_pictures_and_that_is_told(table, tmp_path):
    from mmlm_core.testing.contracts.common import pictures

    (tmp_path / "x.png").write_bytes(pictures()[0])
    table.write_text(
        "\n".join(json.dumps({"image": "x.png", "label": label}) for _, label, _ in ROWS), encoding="utf-8"
    )
    vit = ("data.inputs.image=image", "tokenizer=none", "encoder/image=vit", "encoder.image.patch=4",
           "encoder.image.width=16", "encoder.image.heads=2", "encoder.image.depth=1")  # fmt: skip
    before = write(tmp_path / "small", compose(table, inputs=(*vit, "encoder.image.size=16")))
    made = prepare(compose(table, f"run.init={before}", inputs=(*vit, "encoder.image.size=32")))
    assert "fitted to its shape here: `position` of `encoder/image`" in made.started
    theirs, ours = (
        mmlm_core.load(before).model.encoders["image"].state_dict(),
        made.model.encoders["image"].state_dict(),
    )
    assert ours["position"].shape[1] == 4 * theirs["position"].shape[1]
    corner = torch.nn.functional.adaptive_avg_pool2d(ours["position"].view(1, 8, 8, 16).permute(0, 3, 1, 2), 4)
    torch.testing.assert_close(corner.permute(0, 2, 3, 1).flatten(1, 2), theirs["position"], rtol=0.5, atol=0.5)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours if name != "position")


def test_weights_of_another_shape_are_refused_with_the_options_that_differ(run, table):
    with pytest.raises(RunError) as caught:
        prepare(compose(table, f"run.init={run}", "backbone.width=32"))
    told = str(caught.value)
    assert told.startswith(
        f"`run.init={run}` does not fit this composition: weights of the same part differ in shape: "
    )
    assert "of `backbone` is " in told and "(`backbone.width` is 16 there and 32 here)" in told


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("tokenizer=char", "`tokenizer=word` there and `tokenizer=char` here"),
        ("tokenizer.vocabulary=9", "`tokenizer.vocabulary` is 20000 there and 9 here"),
    ],
)
def test_another_tokenizer_is_refused(run, table, override, reason):
    message = (f"`run.init={run}` does not fit this composition: its weights are those of its own tokens: choose the "
               f"same tokenizer: {reason}.")  # fmt: skip
    with pytest.raises(RunError, match=f"^{re.escape(message)}$"):
        prepare(compose(table, f"run.init={run}", override))


def test_a_run_without_a_shared_part_is_refused(run, table, tmp_path):
    from mmlm_core.testing.contracts.common import pictures

    (tmp_path / "x.png").write_bytes(pictures()[0])
    rows = tmp_path / "pictures.jsonl"
    lines = [json.dumps({"image": "x.png", "other": text}) for text, _, _ in ROWS]
    rows.write_text("\n".join(lines), encoding="utf-8")
    other = compose(rows, "backbone=lstm", "head.pooling=mean", "data.target=other", f"run.init={run}",
                    inputs=("data.inputs.image=image", "encoder/image=cnn"))  # fmt: skip
    with pytest.raises(RunError, match="no part of it has the name of a part of this composition"):
        prepare(other)


def test_a_run_that_is_not_there_is_refused_before_any_row_is_read(tmp_path):
    with pytest.raises(RunError, match="is no run"):
        prepare(compose(tmp_path / "missing.jsonl", f"run.init={tmp_path / 'nowhere'}"))


def test_a_run_that_was_killed_before_its_first_checkpoint_starts_from_the_same_weights_again(run, table, tmp_path):
    quick = ("trainer.max_steps=2", "trainer.progress=false", "trainer.devices=1", "trainer.accelerator=cpu",
             "tracker.wandb=off", "data.test_fraction=0", "loader.batch_size=4", f"run.folder={tmp_path}", "run.name=x",
             "optimizer.lr=1e-6")  # fmt: skip
    path = train(compose(table, f"run.init={run}", *quick))
    whole = (path / "model.safetensors").read_bytes()
    for name in ("model.safetensors", "summary.json", "checkpoints/last.ckpt", "metrics.jsonl"):
        (path / name).unlink()
    assert (resume(path) / "model.safetensors").read_bytes() == whole
