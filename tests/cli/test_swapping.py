"""A part or a preset that is named in place of an experiment's brings its own options."""

from pathlib import Path

import pytest

from mmlm_core.cli import composing
from mmlm_core.cli.menu import Menu
from mmlm_core.composition import Composition
from mmlm_core.plugins import Plugins

BASE = """# @package _global_
defaults:
- override /backbone: gru
- override /encoder/image: cnn
backbone: {layers: 3, dropout: 0.25}
encoder: {image: {width: 5}}
run: {seed: 9}
trainer: {accelerator: cpu, devices: 2, max_steps: 30}
"""
OVER = """# @package _global_
defaults:
- base
backbone: {width: 99}
"""


@pytest.fixture
def menu(toys: Plugins, tmp_path: Path) -> Menu:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "base.yaml").write_text(BASE)
    (tmp_path / "experiment" / "over.yaml").write_text(OVER)
    (tmp_path / "backbone").mkdir()
    (tmp_path / "backbone" / "wide.yaml").write_text("defaults: [lstm, _self_]\nwidth: 64\n")
    return Menu(toys, tmp_path)


def composed(menu: Menu, *overrides: str) -> tuple[Composition, list[str]]:
    with composing.session(menu) as application:
        cfg = composing.compose(application, menu, overrides)
        return composing.to_composition(cfg, menu), composing.swapped(cfg, menu)


def test_the_part_that_the_experiment_chose_has_its_options(menu: Menu) -> None:
    composition, told = composed(menu, "experiment=base")
    options = composition["backbone"].options
    assert (options.layers, options.dropout, composition.settings.run.seed, told) == (3, 0.25, 9, [])


def test_another_part_has_its_own_and_the_rest_stays(menu: Menu) -> None:
    composition, told = composed(menu, "experiment=base", "backbone=lstm")
    fresh = composed(menu, "backbone=lstm")[0]
    assert composition["backbone"] == fresh["backbone"]
    assert composition.settings.run.seed == 9
    assert told == ["`backbone=lstm` keeps its own options: what `experiment=base` sets for `gru` is left out "
                    "(`dropout`, `layers`)."]  # fmt: skip


def test_what_the_command_line_sets_stays(menu: Menu) -> None:
    composition, told = composed(menu, "experiment=base", "backbone=lstm", "backbone.dropout=0.5")
    assert composition["backbone"].options.dropout == 0.5
    assert "(`layers`)" in told[0]


def test_a_preset_of_another_part_keeps_its_values(menu: Menu) -> None:
    composition, _ = composed(menu, "experiment=over", "backbone=wide")
    assert composition["backbone"].component.name == "lstm"
    assert composition["backbone"].options.width == 64


def test_an_experiment_that_extends_another_takes_its_choice(menu: Menu) -> None:
    composition, told = composed(menu, "experiment=over")
    options = composition["backbone"].options
    assert (options.layers, options.width, told) == (3, 99, [])


def test_a_modality_that_is_left_out_leaves_nothing_behind(menu: Menu) -> None:
    composition, _ = composed(menu, "experiment=base", "encoder/image=none", "encoder/text=embedding")
    assert composition.modalities() == ["text"]


def test_a_preset_that_is_named_holds_over_the_experiment_and_the_rest_of_it_stays(menu: Menu) -> None:
    composition, told = composed(menu, "experiment=over", "trainer=gpu")
    trainer = composition.settings.trainer
    assert (trainer.accelerator, trainer.devices, trainer.max_steps) == ("gpu", 1, 30)
    assert told == ["`trainer=gpu` holds over `experiment=over` (`accelerator`, `devices`)."]


def test_what_the_command_line_sets_holds_over_both(menu: Menu) -> None:
    composition, told = composed(menu, "trainer=gpu", "experiment=base", "trainer.devices=3")
    assert (composition.settings.trainer.accelerator, composition.settings.trainer.devices) == ("gpu", 3)
    assert told == ["`trainer=gpu` holds over `experiment=base` (`accelerator`)."]


def test_a_preset_that_sets_nothing_of_the_experiment_is_not_told(menu: Menu) -> None:
    assert composed(menu, "experiment=base", "loader=debug")[1] == []
