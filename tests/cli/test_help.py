"""`mmlm train --help`: from the registry, and with overrides, of what they choose."""

from collections.abc import Callable
from pathlib import Path

Mmlm = Callable[..., tuple[int, str, str]]


def test_the_help_lists_every_part_with_its_choices_and_its_default(mmlm: Mmlm) -> None:
    lines = mmlm("train", "--help")[1].splitlines()
    assert "  backbone                bert, gru, lstm, transformer*" in lines
    assert "  encoder/image           cnn, none*" in lines
    assert "  projection/text         linear*" in lines


def test_the_help_of_a_choice_has_each_option_with_type_default_and_doc(mmlm: Mmlm) -> None:
    assert mmlm("train", "backbone=gru", "--help")[1] == (
        "backbone=gru  (mmlm-toys)\n"
        "  Reads from left to right, a step at a time.\n\n"
        "  backbone.width=16  (int)\n"
        "      Width of the state.\n"
        "  backbone.layers=1  (int)\n"
        "      Layers above one another.\n"
        "  backbone.dropout=0.0  (float)\n"
        "      Share of values that are dropped between the layers.\n"
        "  backbone.cell=gated  (plain | gated)\n"
        "      What a step computes.\n"
        "  backbone.reverse=false  (bool)\n"
        "      Read from right to left.\n"
    )


def test_the_help_of_an_option_is_that_of_what_is_chosen(mmlm: Mmlm) -> None:
    assert mmlm("train", "backbone.width=3", "backbone=gru", "--help")[1].startswith("backbone=gru  (mmlm-toys)\n")
    assert mmlm("train", "encoder/image=cnn", "trainer=debug", "--help")[1].startswith(
        "encoder/image=cnn  (mmlm-toys)\n"
    )


def test_the_help_of_a_preset_shows_its_values(mmlm: Mmlm) -> None:
    printed = mmlm("train", "trainer=debug", "--help")[1]
    assert printed.startswith("trainer=debug  (mmlm-core)\n  A few steps, to see whether a composition runs at all")
    assert "  trainer.max_steps=20  (int | null)\n" in printed


def test_the_help_of_an_experiment_is_its_file(mmlm: Mmlm, tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\n# Mine.\n#   mmlm ...\nrun: {seed: 3}\n")
    printed = mmlm("train", "--config-dir", str(tmp_path), "experiment=mine", "--help")[1]
    assert printed.startswith("experiment=mine  (--config-dir)\n  Mine.\n")
    assert "  run: {seed: 3}\n" in printed


def test_the_help_of_what_there_is_not_is_an_error(mmlm: Mmlm) -> None:
    assert mmlm("train", "backbone=grru", "--help")[2].startswith(
        "error: `grru` is no choice of `backbone`. Did you mean"
    )
    assert mmlm("train", "bacbone=gru", "--help")[2].startswith("error: `bacbone` is no group. Did you")
