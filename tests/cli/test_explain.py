"""`mmlm explain`: the value of an option, who set it, and what it is."""

from collections.abc import Callable
from pathlib import Path

import pytest

Mmlm = Callable[..., tuple[int, str, str]]

EXPERIMENT = """# @package _global_
defaults:
- override /backbone: gru
backbone: {layers: 3}
trainer: {devices: 3}
"""


@pytest.fixture
def explained(mmlm: Mmlm, tmp_path: Path) -> Callable[..., list[str]]:
    """The lines that are printed, with a folder of an experiment and a preset."""
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(EXPERIMENT)
    (tmp_path / "backbone").mkdir()
    (tmp_path / "backbone" / "deep.yaml").write_text("defaults: [gru, _self_]\nlayers: 6\n")

    def run(*words: str) -> list[str]:
        code, printed, errors = mmlm("explain", *words, "--config-dir", str(tmp_path))
        assert (code, errors) == (0, "")
        return printed.splitlines()

    return run


def test_a_default_says_so_with_the_doc_the_type_and_the_range(explained: Callable[..., list[str]]) -> None:
    assert explained("backbone.layers", "backbone=gru") == [
        "backbone.layers = 1",
        "  Layers above one another.",
        "  type    int, at least 1",
        "  of      backbone=gru (mmlm-toys)",
        "  set by  the default of `backbone=gru`",
    ]


def test_every_word_on_an_option_is_told_the_last_first(explained: Callable[..., list[str]]) -> None:
    assert explained("backbone.layers", "experiment=mine", "backbone.layers=5")[-3:] == [
        "  set by  the override `backbone.layers=5`",
        "  over    3, `experiment=mine` of --config-dir",
        "  over    1, the default of `backbone=gru`",
    ]


def test_a_preset_stands_between_the_default_and_the_override(explained: Callable[..., list[str]]) -> None:
    assert explained("backbone.layers", "backbone=deep", "backbone.layers=5")[-3:] == [
        "  set by  the override `backbone.layers=5`",
        "  over    6, the preset `backbone=deep` of --config-dir",
        "  over    1, the default of `backbone=gru`",
    ]


def test_a_preset_that_leaves_it_is_not_named(explained: Callable[..., list[str]]) -> None:
    assert explained("backbone.width", "backbone=deep")[-1] == "  set by  the default of `backbone=gru`"


def test_an_experiment_that_set_it_for_another_part_is_named(explained: Callable[..., list[str]]) -> None:
    lines = explained("backbone.layers", "experiment=mine", "backbone=lstm")
    assert lines[0] == "backbone.layers = 1"
    assert " ".join(lines[5:]).split() == (
        ["not", "by", "`experiment=mine`,", "which", "sets", "it", "for", "another", "part", "than", "`backbone=lstm`"]
    )


def test_a_preset_of_the_settings_that_is_named_stands_over_the_experiment(explained: Callable[..., list[str]]) -> None:
    assert explained("trainer.devices", "experiment=mine", "trainer=gpu")[-3:] == [
        "  set by  the preset `trainer=gpu` of mmlm-core",
        "  over    3, `experiment=mine` of --config-dir",
        "  over    1, the default of `trainer`",
    ]


def test_a_part_is_explained_with_all_its_options(explained: Callable[..., list[str]]) -> None:
    lines = explained("backbone", "experiment=mine")
    assert lines[0] == "backbone=gru  (mmlm-toys)"
    assert "  chosen by `experiment=mine`" in lines
    assert "  backbone.layers = 3  (`experiment=mine` of --config-dir)" in lines
    assert "  backbone.cell = gated  (the default of `backbone=gru`)" in lines


def test_a_setting_is_an_option_too(explained: Callable[..., list[str]]) -> None:
    assert explained("trainer.max_steps", "trainer=debug")[-2:] == [
        "  set by  the preset `trainer=debug` of mmlm-core",
        "  over    null, the default of `trainer`",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("backbone.layer", "backbone=gru"), "error: `layer` is no option of `backbone=gru`. Did you mean `layers`? "
         "Options: `cell`, `dropout`, `layers`, `reverse`, `width`."),
        (("bakbone.layers",), "error: `bakbone.layers` is no part and no group."),
        (("layers", "backbone=gru"), "error: `layers` is no part and no group. Did you mean `backbone.layers`? "
         "Choices: `backbone`, "),
        (("backbone.layers.x", "backbone=gru"), "error: `backbone.layers` is a value and has no options of its own."),
        (("encoder.image.width",), "error: `encoder/image` is not chosen; choose it first, as `encoder/image=CHOICE`. "
         "Choices: `cnn` (mmlm-toys), `none`."),
        (("fusion.x",), "error: `x` is no option of `fusion=concat`. It has no options."),
        (("trainer.max_step",), "error: `max_step` is no option of `trainer`. Did you mean `max_steps`? Options: "),
        (("experiment",), "error: `experiment` sets parts and has no options of its own: explain one of those, as "
         "`mmlm explain backbone experiment=NAME`."),
        (("backbone=gru",), "error: `mmlm explain` explains an option first: write `mmlm explain OPTION backbone=gru`."),
        (("backbone.layers", "backbone=grru"), "error: `backbone=grru`: `grru` is no choice of `backbone`."),
    ],
)  # fmt: skip
def test_what_cannot_be_explained_says_why(mmlm: Mmlm, words: tuple[str, ...], message: str) -> None:
    code, printed, errors = mmlm("explain", *words)
    assert (code, printed) == (2, "")
    assert errors.startswith(message)
