"""The command line lives with a component that is called `none`."""

import pytest

from mmlm_backbones.plugin import mmlm_components
from mmlm_core import Component
from mmlm_core.cli.completion import candidates
from mmlm_core.cli.menu import OPEN, Menu
from mmlm_core.cli.train_help import train_help
from mmlm_core.composition import Composition
from mmlm_core.plugins import Plugins, load_plugins
from mmlm_core.registry import Registry


def menu():
    return Menu(load_plugins())


def test_none_is_a_choice_of_the_backbone_that_a_plugin_gives_and_of_encoders_that_the_core_gives():
    assert menu().choices("backbone")["none"] == "mmlm-backbones"
    assert menu().choices("encoder/text")["none"] == menu().choices("tokenizer")["none"] == "mmlm-core"
    assert "none" not in menu().choices("fusion")


def test_it_is_completed_with_its_options():
    assert candidates(["mmlm", "train", "backbone=no"], menu) == ["backbone=none"]
    assert candidates(["mmlm", "train", "backbone=none", "backbone."], menu) == ["backbone.width="]


def test_its_help_shows_its_options_and_that_of_no_encoder_none():
    assert "backbone.width=256" in train_help(menu(), ["backbone=none"])
    assert train_help(menu(), ["encoder/text=none"]).startswith("encoder/text: raw items")


def test_it_is_filled_also_where_it_is_named_alone():
    composition = Composition.from_mapping(
        menu().registry, {"backbone": {"name": "none"}, "tokenizer": {"name": "none"}}
    )
    assert composition["backbone"].options.width == 256 and list(composition.choices) == ["backbone"]
    again = Composition.from_mapping(menu().registry, composition.to_mapping())
    assert again["backbone"].component.name == "none"


def test_it_does_not_become_the_default_where_the_default_is_not_installed():
    registry = Registry()
    for component in mmlm_components():
        registry.register(component, "mmlm-backbones")
    assert Menu(Plugins([], registry.freeze())).defaults["backbone"] == OPEN


def test_hydra_composes_it():
    from mmlm_core.cli import composing

    with composing.session(menu()) as application:
        config = composing.compose(application, menu(), ["backbone=none", "backbone.width=32", "encoder/text=none"])
    composition = composing.to_composition(config, menu())
    assert composition["backbone"].component.name == "none" and composition["backbone"].options.width == 32


@pytest.mark.parametrize("component", mmlm_components(), ids=lambda component: component.name)
def test_each_is_a_backbone(component):
    assert isinstance(component, Component) and component.kind == "backbone"
