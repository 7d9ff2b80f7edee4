"""A composition from plain values and back."""

from dataclasses import dataclass
from typing import Any

import pytest

from mmlm_core.composition import Composition, kind_of, slots
from mmlm_core.errors import MmlmError, UnknownChoiceError
from mmlm_core.registry import Component, Registry
from mmlm_core.settings import Settings


@dataclass
class Options:
    """A part."""

    width: int = 4
    label: str = ""


@pytest.fixture
def registry() -> Registry:
    made = Registry()
    for kind in ("tokenizer", "encoder/image", "encoder/text", "projection", "fusion", "backbone", "head", "data"):
        for name in ("one", "two"):
            made.register(Component(kind, name, Options, "nowhere:Nothing"), "toys")
    return made.freeze()


MAPPING: dict[str, Any] = {
    "data": {"name": "one"},
    "encoder": {"image": {"name": "two", "width": 8}, "text": {"name": "none"}},
    "projection": {"image": {"name": "one"}, "text": {"name": "one"}},
    "backbone": {"name": "one"},
    "trainer": {"max_steps": 3, "precision": "bf16"},
}


def test_a_slot_has_a_kind(registry: Registry) -> None:
    assert slots(registry) == ["data", "tokenizer", "encoder/image", "encoder/text", "projection/image",
                               "projection/text", "fusion", "backbone", "head", "optimizer", "schedule"]  # fmt: skip
    assert kind_of("projection/image") == "projection"
    assert kind_of("encoder/image") == "encoder/image"


def test_a_mapping_becomes_a_composition_and_comes_back(registry: Registry) -> None:
    composition = Composition.from_mapping(registry, MAPPING)
    assert composition.modalities() == ["image"]
    assert list(composition.choices) == ["data", "encoder/image", "projection/image", "backbone"]
    assert composition["encoder/image"].options == Options(8)
    assert composition.settings.trainer.max_steps == 3
    mapping = composition.to_mapping()
    assert mapping["trainer"]["precision"] == "bf16"
    assert Composition.from_mapping(registry, mapping) == composition


def test_a_slot_that_is_not_filled_is_told(registry: Registry) -> None:
    with pytest.raises(UnknownChoiceError) as refused:
        Composition.from_mapping(registry, MAPPING)["backbones"]
    assert str(refused.value) == "`backbones` is not chosen. Did you mean `backbone`?"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bakbone": {}}, "`bakbone` of run.yaml is no group. Did you mean `backbone`? Choices: `backbone`, `data`, "
         "`decoding`, `encoder`, `fusion`, `head`, `loader`, `optimizer`, `projection`, `run`, `schedule`, "
         "`tokenizer`, `tracker`, `trainer`."),
        ({"encoder": {"imge": {"name": "one"}}}, "`encoder/imge` of run.yaml is no slot: no installed plugin gives it. "
         "Did you mean `encoder/image`? Choices: `backbone`, `data`, `encoder/image`, `encoder/text`, `fusion`, "
         "`head`, `optimizer`, `projection/image`, `projection/text`, `schedule`, `tokenizer`."),
        ({"head": {"name": "oen"}}, "`head` of run.yaml: `oen` is no choice of `head`. Did you mean `one`? Choices: `one`, `two`."),
        ({"head": {"width": 3}}, "`head` of run.yaml must say its `name`, one of the choices. Choices: `one`, `two`."),
        ({"head": "one"}, "`head` of run.yaml must be a mapping of options, not `one`."),
        ({"head": {"name": "one", "widht": 3}}, "`head.widht` of run.yaml is no option. Did you mean `width`? "
         "Choices: `label`, `width`."),
        ({"encoder": {"image": {"name": "one", "width": "x"}}},
         "`encoder.image.width` of run.yaml must be an integer, not `x`."),
        ({"trainer": {"max_steps": 0}}, "`max_steps` must be at least 1, not 0. This is `trainer` of run.yaml."),
        ({"trainer": [1]}, "`trainer` of run.yaml must be a mapping of options, not `[1]`."),
        ({"encoder": 3, "projection": {}}, "`encoder` of run.yaml must be a mapping of options, not `3`."),
        ({"run": {"name": "../x"}}, "`name` must name a folder under `folder`, not `../x`: set `run.folder` instead. "
         "This is `run` of run.yaml."),
        ({"run": {"folder": " "}}, "`folder` must name the folder that holds the runs, not nothing: `.` is the present one. "
         "This is `run` of run.yaml."),
        ({"trainer": {"clip_norm": float("inf")}}, "`clip_norm` must be a finite number, not inf. This is `trainer` of "
         "run.yaml."),
        ({"run": {"seed": 2**63}}, f"`seed` must be from {-2**63} to {2**63 - 1}, not {2**63}. This is `run` of "
         "run.yaml."),
    ],
)  # fmt: skip
def test_a_mapping_that_is_wrong_is_told(registry: Registry, change: dict[str, Any], message: str) -> None:
    with pytest.raises(MmlmError) as refused:
        Composition.from_mapping(registry, {**MAPPING, **change}, "run.yaml")
    assert str(refused.value) == message


def test_all_that_is_wrong_is_told_at_once(registry: Registry) -> None:
    with pytest.raises(MmlmError) as refused:
        Composition.from_mapping(registry, {"head": {"name": "oen"}, "backbone": {"name": "one", "width": "x"},
                                            "run": {"seed": "x"}}, "run.yaml")  # fmt: skip
    assert str(refused.value) == (
        "3 things are wrong:\n"
        "- `backbone.width` of run.yaml must be an integer, not `x`.\n"
        "- `head` of run.yaml: `oen` is no choice of `head`. Did you mean `one`? Choices: `one`, `two`.\n"
        "- `run.seed` of run.yaml must be an integer, not `x`."
    )


def test_the_settings_have_a_group_each() -> None:
    assert list(Settings.groups()) == ["loader", "trainer", "decoding", "tracker", "run"]
