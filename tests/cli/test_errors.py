"""What is wrong with overrides is said in our words, all of it at once, and never with a traceback."""

from collections.abc import Callable
from pathlib import Path

import pytest

Mmlm = Callable[..., tuple[int, str, str]]

BACKBONES = "`bert` (mmlm-toys), `gru` (mmlm-toys), `lstm` (mmlm-toys), `transformer` (mmlm-toys)"
GROUPS = (
    "`backbone`, `data`, `decoding`, `encoder/image`, `encoder/text`, `experiment`, `fusion`, `head`, `loader`, "
    "`optimizer`, `projection/image`, `projection/text`, `run`, `scale`, `schedule`, `tokenizer`, `tracker`, `trainer`"
)
ROOTS = (
    "`backbone`, `data`, `decoding`, `encoder`, `fusion`, `head`, `loader`, `optimizer`, `projection`, `run`, "
    "`schedule`, `tokenizer`, `tracker`, `trainer`"
)
GRU = "`cell`, `dropout`, `layers`, `reverse`, `width`"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("backbone=grru",
         f"`backbone=grru`: `grru` is no choice of `backbone`. Did you mean `gru`? Choices: {BACKBONES}."),
        ("bacbone=gru", f"`bacbone=gru`: `bacbone` is no group. Did you mean `backbone`? Choices: {GROUPS}."),
        ("encoder/imagee=cnn",
         f"`encoder/imagee=cnn`: `encoder/imagee` is no group. Did you mean `encoder/image`? Choices: {GROUPS}."),
        ("encoder.image=cnn", "`encoder.image=cnn`: `encoder/image` is a group: write `encoder/image=cnn`."),
        ("encoder/image.width=3",
         "The override `encoder/image.width=3` cannot be read: options have dots: write `encoder.image.width=3`."),
        ("encoder/image=null", "`encoder/image=null`: write `encoder/image=none` to leave it out."),
        ("backbone=null", f"`backbone=null`: `backbone` must be chosen. Choices: {BACKBONES}."),
        ("backbone=[gru,lstm]",
         f"`backbone=[gru,lstm]`: `backbone` takes one choice, not a list. Choices: {BACKBONES}."),
        ("+backbone=gru", "`+backbone=gru`: `+` is for new keys: write `backbone=gru`."),
        ("backbone@decoder=gru", "`backbone@decoder=gru`: a package (`@`) is of no use here."),
        ("backbone=gru,lstm",
         "`backbone=gru,lstm`: several values: add `--multirun` to train with each of them; "
         "or write a list as `[a,b]`, and text with a comma as '\"a,b\"'."),
        ("+bacbone=gru", f"`+bacbone=gru`: `bacbone` is no group. Did you mean `backbone`? Choices: {GROUPS}."),
        ("gru", "The override `gru` cannot be read: it must read `group=choice` or `group.option=value`."),
        ("run.name=(",
         "The override `run.name=(` cannot be read: quote a value that has spaces or signs of its own, "
         "as 'run.name=\"(\"'."),
        ("~nope", f"`~nope`: `nope` is no group. Choices: {GROUPS}."),
    ],
)  # fmt: skip
def test_an_unusable_override_is_told_with_what_was_meant(mmlm: Mmlm, override: str, message: str) -> None:
    assert mmlm("train", override) == (2, "", f"error: {message}\n")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("backbone.widht=3", "`backbone.widht=3`: `widht` is no option of `backbone=gru` (mmlm-toys). "
         f"Did you mean `width`? Options: {GRU}."),
        ("backbone.width.x=3", "`backbone.width.x=3`: `backbone.width` is a value and has no options of its own."),
        ("encoder.image.width=3",
         "`encoder.image.width=3`: `encoder/image` is not chosen; choose it first, as `encoder/image=CHOICE`. "
         "Choices: `cnn` (mmlm-toys), `none`."),
        ("encoder.imagee.width=3",
         "`encoder.imagee.width=3`: `encoder/imagee` is no group. Did you mean `encoder/image`? "
         "Choices: `encoder/image`, `encoder/text`."),
        ("~backbone.widht", f"`~backbone.widht`: `widht` is no option of `backbone=gru` (mmlm-toys). "
         f"Did you mean `width`? Options: {GRU}."),
        ("~backbone.width=3", "`~backbone.width=3`: the value is `16`, so this deletes nothing."),
        ("+backbone.width=3", "`+backbone.width=3`: `backbone.width` is there already: write `backbone.width=3`."),
        ("+backbone.depth=3", f"`backbone.depth` of the override `+backbone.depth=3` is no option. "
         f"Did you mean `width`? Choices: {GRU}."),
        ("backbone.width=abc", "`backbone.width` of the override `backbone.width=abc` must be an integer, not `abc`."),
        ("backbone.width=5.7", "`backbone.width` of the override `backbone.width=5.7` must be an integer, not `5.7`."),
        ("backbone.width=null",
         "`backbone.width` of the override `backbone.width=null` must be an integer, not `null`."),
        ("backbone.reverse=3",
         "`backbone.reverse` of the override `backbone.reverse=3` must be `true` or `false`, not `3`."),
        ("backbone.cell=fast",
         "`backbone.cell` of the override `backbone.cell=fast` must be one of `plain`, `gated`, not `fast`."),
        ("backbone.layers=0",
         "`layers` must be at least 1, not 0. This is `backbone` of the override `backbone.layers=0`."),
        ("backbone.name=lstm",
         "`backbone.name` of the override `backbone.name=lstm` is `lstm`, and `backbone=gru` is chosen: "
         "write `backbone=lstm` instead."),
        ("backbone.layers=${nope}",
         "`backbone.layers` of the override `backbone.layers=${nope}` cannot be resolved: "
         "Interpolation key 'nope' not found."),
        ("run.name=1.5", "`run.name` of the override `run.name=1.5` must be text or `null`, not `1.5`."),
    ],
)  # fmt: skip
def test_an_unusable_option_is_told_with_what_was_meant(mmlm: Mmlm, override: str, message: str) -> None:
    assert mmlm("train", "backbone=gru", override) == (2, "", f"error: {message}\n")


def test_an_option_of_another_choice_is_told_with_that_choice(mmlm: Mmlm) -> None:
    assert mmlm("train", "backbone.layers=2")[2] == (
        "error: `backbone.layers=2`: `layers` is no option of `backbone=transformer` (mmlm-toys). "
        "It is one of `backbone=gru`, `backbone=lstm`. It has no options.\n"
    )


def test_all_that_is_wrong_is_told_at_once(mmlm: Mmlm) -> None:
    assert mmlm("train", "backbone=gru", "backbone.width=x", "loader.workers=-1", "trainer.compile=1")[2] == (
        "error: 3 things are wrong:\n"
        "- `backbone.width` of the override `backbone.width=x` must be an integer, not `x`.\n"
        "- `workers` must be from 0 to 256, not -1. This is `loader` of the override `loader.workers=-1`.\n"
        "- `trainer.compile` of the override `trainer.compile=1` must be `true` or `false`, not `1`.\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("defaults: [gru, _self_]\nwidht: 3\n", "`backbone.widht` of `{path}` is no option. Did you mean `width`? "
         f"Choices: {GRU}."),
        ("defaults: [gru, _self_]\nwidth: wide\n", "`backbone.width` of `{path}` must be an integer, not `wide`."),
        ("defaults: [grru, _self_]\n", "`backbone=mine`: `grru` is no choice of `backbone`. Did you mean `gru`? "
         "Choices: `bert` (mmlm-toys), `gru` (mmlm-toys), `lstm` (mmlm-toys), `mine` (--config-dir), `transformer` "
         "(mmlm-toys). It is chosen by `{path}`."),
        ("width: 3\n", "`backbone` of `{path}` must say its `name`, one of the choices. "
         "Choices: `bert`, `gru`, `lstm`, `transformer`."),
        ("a: b: c", "`backbone=mine`: `backbone=mine` of --config-dir is no YAML at line 1: "
         "mapping values are not allowed in this context. The file is `{path}`."),
        ("- 3\n", "`backbone=mine`: `backbone=mine` of --config-dir must be a mapping. The file is `{path}`."),
        ("defaults: gru\n", "`backbone=mine`: `defaults` of `{path}` must be a list, not `gru`."),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_named(mmlm: Mmlm, tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "backbone" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(text)
    expected = f"error: {message.format(path=path)}\n"
    assert mmlm("train", "--config-dir", str(tmp_path), "backbone=mine") == (2, "", expected)


def test_a_file_with_the_name_of_a_component_is_refused(mmlm: Mmlm, tmp_path: Path) -> None:
    (tmp_path / "backbone").mkdir()
    (tmp_path / "backbone" / "gru.yaml").write_text("layers: 2\n")
    assert mmlm("train", "--config-dir", str(tmp_path), "backbone=gru")[2] == (
        f"error: `backbone=gru`: `backbone=gru` is a component, and `{tmp_path}/backbone/gru.yaml` of --config-dir "
        "takes its name: give the file another one.\n"
    )


def test_an_experiment_for_a_part_that_is_not_installed_says_so(mmlm: Mmlm, tmp_path: Path) -> None:
    path = tmp_path / "experiment" / "mine.yaml"
    path.parent.mkdir()
    path.write_text("# @package _global_\ndefaults:\n- override /encoder/video: clip\n")
    assert mmlm("train", "--config-dir", str(tmp_path), "experiment=mine")[2] == (
        "error: `experiment=mine`: `encoder/video` is no group: no installed plugin gives it. Did you mean "
        f"`encoder/image`? Choices: {GROUPS}. It is chosen by `{path}`.\n"
    )


def test_an_experiment_with_a_group_that_there_is_not_says_so(mmlm: Mmlm, tmp_path: Path) -> None:
    path = tmp_path / "experiment" / "mine.yaml"
    path.parent.mkdir()
    path.write_text("# @package _global_\ntrainr: {max_steps: 3}\n")
    assert mmlm("train", "--config-dir", str(tmp_path), "experiment=mine")[2] == (
        f"error: `trainr` of `{path}` is no group. Did you mean `trainer`? Choices: {ROOTS}.\n"
    )


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("hydra/launcher=joblib", "`joblib` is no choice of `hydra/launcher`. `pip install hydra-joblib-launcher` brings "
         "it. Choices: `basic`."),
        ("hydra/launcher=basik", "`basik` is no choice of `hydra/launcher`. Did you mean `basic`? Choices: `basic`."),
    ],
)  # fmt: skip
def test_a_launcher_that_is_not_installed_is_told_with_what_brings_it(mmlm: Mmlm, override: str, message: str) -> None:
    assert mmlm("train", "--multirun", override) == (2, "", f"error: {message}\n")


def test_a_folder_that_there_is_not_is_named(mmlm: Mmlm) -> None:
    assert (
        mmlm("train", "--config-dir", "nowhere")[2]
        == "error: `--config-dir` must be a folder, and `nowhere` is none.\n"
    )
