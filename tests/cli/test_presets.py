"""Every YAML file of the core and of the installed plugins is composed, recursively."""

from pathlib import Path

import pytest

from mmlm_core.cli import composing
from mmlm_core.cli.menu import EXPERIMENT, SCALE, Menu
from mmlm_core.composition import SINGLE_SLOTS
from mmlm_core.plugins import load_plugins

INSTALLED = Menu(load_plugins())

FILES = sorted(
    (giver, folder, path.relative_to(folder))
    for giver, folder in INSTALLED.folders
    for path in folder.rglob("*.yaml")
    if path.name != "defaults.yaml" and path.parts[-3] != SCALE  # a scale is composed with its experiment
)


@pytest.mark.parametrize(("giver", "folder", "path"), FILES, ids=lambda value: str(value).rpartition("mmlm")[2])
def test_every_yaml_file_composes(giver: str, folder: Path, path: Path) -> None:
    group, name = str(path.parent), path.stem
    group = f"projection/{INSTALLED.registry.modalities()[0]}" if group == "projection" else group
    assert INSTALLED.choices(group).get(name) == giver, f"{group}={name} cannot be chosen"
    with composing.session(INSTALLED) as application:
        cfg = composing.compose(application, INSTALLED, [f"{group}={name}"])
        composing.to_composition(cfg, INSTALLED)


@pytest.mark.parametrize(("giver", "folder", "path"), FILES, ids=lambda value: str(value).rpartition("mmlm")[2])
def test_every_yaml_file_says_what_it_is_for(giver: str, folder: Path, path: Path) -> None:
    preset = INSTALLED.preset(str(path.parent), path.stem)
    assert preset
    assert preset.doc.endswith(".")


def test_the_default_of_every_part_is_a_slot() -> None:
    from mmlm_core.cli.menu import read_yaml

    defaults = read_yaml(Path(composing.__file__).parent.parent / "conf" / "defaults.yaml", "the defaults")
    assert set(defaults) == {*SINGLE_SLOTS, "projection"}


EXPERIMENTS = list(INSTALLED.choices(EXPERIMENT))


def in_turns(slot: str, turn: int) -> list[str]:
    """Return the choices of a slot that are an experiment's turn: each is some experiment's."""
    choices = list(INSTALLED.choices(slot))
    return choices[turn % len(choices) :: len(EXPERIMENTS)]


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_any_part_of_an_experiment_can_be_swapped_by_one_word(experiment: str) -> None:
    """Whether the parts fit together is another question, which `mmlm compat` answers."""
    turn = EXPERIMENTS.index(experiment)
    with composing.session(INSTALLED) as application:
        for slot in INSTALLED.slots:
            for choice in in_turns(slot, turn):
                words = [f"{EXPERIMENT}={experiment}", f"{slot}={choice}"]
                composition = composing.to_composition(composing.compose(application, INSTALLED, words), INSTALLED)
                if slot in composition.choices:
                    assert composition[slot].component.name == choice


def test_the_turns_of_the_experiments_swap_every_choice() -> None:
    for slot in INSTALLED.slots:
        swapped = {choice for turn in range(len(EXPERIMENTS)) for choice in in_turns(slot, turn)}
        assert swapped == set(INSTALLED.choices(slot))
