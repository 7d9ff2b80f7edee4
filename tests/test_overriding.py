"""A composition with some values set anew, as prediction and evaluation take them from the command line."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from mmlm_core.composition import Composition
from mmlm_core.errors import MmlmError
from mmlm_core.overriding import override
from mmlm_core.registry import Component, Registry
from mmlm_core.settings import DecodingOptions


@dataclass
class Options:
    """A part."""

    width: int = 4
    label: str = ""
    words: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def registry() -> Registry:
    made = Registry()
    for kind in ("backbone", "data"):
        for name in ("one", "two"):
            made.register(Component(kind, name, Options, "nowhere:Nothing"), "toys")
    return made.freeze()


MAPPING: dict[str, Any] = {"data": {"name": "one"}, "backbone": {"name": "one"}}


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("trainer.max_steps=7", ("trainer", "max_steps"), 7),
        ("trainer.max_steps=null", ("trainer", "max_steps"), None),
        ("trainer.progress=false", ("trainer", "progress"), False),
        ("trainer.precision=fp32", ("trainer", "precision"), "fp32"),
        ("trainer.average_decay=1e-3", ("trainer", "average_decay"), 0.001),
        ("tracker.wandb=off", ("tracker", "wandb"), "off"),
        ("data.label=no", ("data", "label"), "no"),
        ("data.label='1.5'", ("data", "label"), "1.5"),
        ("data.label=12:30", ("data", "label"), "12:30"),
        ("data.label=007", ("data", "label"), "007"),
        ("data.label=", ("data", "label"), ""),
        ("data.label=a=b", ("data", "label"), "a=b"),
        ("data.words=[off,12:30,7]", ("data", "words"), ["off", "12:30", "7"]),
        ("data.columns={image:path,text: 'a b'}", ("data", "columns"), {"image": "path", "text": "a b"}),
    ],
)
def test_an_override_sets_one_value_as_hydra_would_read_it(
    registry: Registry, text: str, path: tuple[str, str], value: object
) -> None:
    mapping = override(MAPPING, registry, [text]).to_mapping()
    assert mapping[path[0]][path[1]] == value


def test_an_override_of_a_choice_starts_from_its_defaults(registry: Registry) -> None:
    before = Composition.from_mapping(registry, {**MAPPING, "data": {"name": "one", "width": 9}}).to_mapping()
    changed = override(before, registry, ["data=two", "data.label=x"])
    assert (changed["data"].component.name, changed["data"].options) == ("two", Options(4, "x"))
    assert before["data"]["width"] == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("backbone.width=3", "`backbone` of the override `backbone.width=3` belongs to the trained model and cannot be "
         "changed. Choices: `data`, `decoding`, `loader`, `run`, `tracker`, `trainer`."),
        ("decodng.beams=3", "`decodng` of the override `decodng.beams=3` is no group. Did you mean `decoding`? "
         "Choices: `data`, `decoding`, `loader`, `run`, `tracker`, `trainer`."),
        ("decoding.beam=3", "`decoding.beam` of the override `decoding.beam=3` is no option. Did you mean `beams`? "
         f"Choices: {', '.join(f'`{name}`' for name in sorted(DecodingOptions.__dataclass_fields__))}."),
        ("decoding.beams=x", "`decoding.beams` of the override `decoding.beams=x` must be an integer, not `x`."),
        ("decoding.beams=0", "`beams` must be from 1 to 512, not 0. This is `decoding` of the override "
         "`decoding.beams=0`."),
        ("data=three", "`data` of the override `data=three`: `three` is no choice of `data`. Choices: `one`, `two`."),
        ("decoding.beams=100000", "`beams` must be from 1 to 512, not 100000. This is `decoding` of the override "
         "`decoding.beams=100000`."),
        ("decoding=beams", "The override `decoding=beams` must name an option, as `decoding.OPTION=beams`."),
        ("decoding", "The override `decoding` must read `group.option=value`."),
        ("data.label=[1", "The value `[1` of an override cannot be read as a list or a mapping."),
    ],
)  # fmt: skip
def test_an_override_that_is_wrong_is_told(registry: Registry, text: str, message: str) -> None:
    with pytest.raises(MmlmError) as refused:
        override(MAPPING, registry, [text], "runs/x")
    assert str(refused.value) == message
