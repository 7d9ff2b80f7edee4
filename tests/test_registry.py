"""Declarations are checked where their author sees them, and a registry knows who gave what."""

from dataclasses import dataclass, field

import pytest

from mmlm_core.errors import ConflictError, PluginError, UnknownChoiceError
from mmlm_core.registry import KINDS, Component, Registry, Traits


@dataclass
class Options:
    """What it is, in a line.

    And more.
    """

    width: int = 3


@dataclass
class Incomplete:
    """It has an option without a default."""

    width: int
    names: list[str] = field(default_factory=list)


def component(kind: str = "backbone", name: str = "gru", **changes: object) -> Component:
    values: dict[str, object] = {"options": Options, "target": "fractions:Fraction", **changes}
    return Component(kind, name, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Gru"}, "`Gru` cannot name a component of kind `backbone`: a name has lower case letters, digits and "
                          "underscores."),
        ({"name": "none", "kind": "encoder/image"}, "`none` cannot name a component of kind `encoder/image`: a name has "
                                                    "lower case letters, digits and underscores, and is not `none`."),
        ({"name": "none", "kind": "tokenizer"}, "`none` cannot name a component of kind `tokenizer`: a name has lower "
                                                "case letters, digits and underscores, and is not `none`."),
        ({"kind": "bakbone"}, "`bakbone` is no kind of component. Did you mean `backbone`? Choices: "
                              + ", ".join(f"`{kind}`" for kind in sorted(KINDS)) + "."),
        ({"kind": "encoder"}, "The kind `encoder` must name its modality, as `encoder/image` does."),
        ({"kind": "encoder/PointCloud"}, "The modality of `encoder/PointCloud` must have lower case letters, digits and "
         "underscores alone."),
        ({"kind": "encoder/点云"}, "The modality of `encoder/点云` must have lower case letters, digits and underscores "
         "alone."),
        ({"kind": "encoder/queries"}, "The kind `encoder/queries` cannot be: `queries` is the segment that a head adds."),
        ({"samples": "mmlm_toys"}, "The samples of `backbone=gru` must read `package.module:function`, not `mmlm_toys`."),
        ({"options": int}, "The options of `backbone=gru` must be a dataclass, not <class 'int'>."),
        ({"options": Incomplete}, "The option `width` of `backbone=gru` must have a default."),
        ({"target": "fractions.Fraction"}, "The target of `backbone=gru` must read `package.module:Class`, "
                                           "not `fractions.Fraction`."),
        ({"tiny": {"depth": 1}}, "`tiny` of `backbone=gru` names `depth`, which is no option of it."),
    ],
)  # fmt: skip
def test_a_declaration_that_is_wrong_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(PluginError) as refused:
        component(**changes)  # type: ignore[arg-type]
    assert str(refused.value) == message


def test_the_doc_is_the_first_line_of_the_options() -> None:
    assert component().doc == "What it is, in a line."
    assert component(doc="Another.").doc == "Another."


def test_traits_can_depend_on_the_options() -> None:
    made = component(traits=lambda options: Traits(frozenset({f"width:{options.width}"})))
    assert made.traits_for(Options(5)).provides == {"width:5"}


def test_the_class_is_imported_when_it_is_loaded() -> None:
    from fractions import Fraction

    assert component().load() is Fraction


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_module:X",
         "`backbone=gru` cannot be loaded from `no_such_module:X`: No module named 'no_such_module'"),
        ("fractions:X", "`backbone=gru` cannot be loaded from `fractions:X`: module 'fractions' has no attribute 'X'"),
    ],
)  # fmt: skip
def test_a_class_that_is_not_there_is_told(target: str, message: str) -> None:
    with pytest.raises(PluginError) as refused:
        component(target=target).load()
    assert str(refused.value) == message


def test_a_registry_knows_who_gave_what() -> None:
    registry = Registry()
    registry.register(component(), "one")
    registry.register(component("encoder/image", "cnn"), "two")
    registry.register(component("data", "table"), "two")
    assert registry.kinds() == ["encoder/image", "backbone", "data"]
    assert registry.modalities() == ["image"]
    assert (registry.giver("backbone", "gru"), registry.giver("data", "table")) == ("one", "two")
    assert [made.name for made in registry] == ["cnn", "gru", "table"]


def test_a_frozen_registry_takes_no_more() -> None:
    with pytest.raises(PluginError) as refused:
        Registry().freeze().register(component(), "late")
    assert str(refused.value) == "`backbone=gru` of late comes too late: the registry is frozen."


def test_one_giver_cannot_give_a_name_twice() -> None:
    registry = Registry()
    registry.register(component(), "one")
    with pytest.raises(PluginError) as refused:
        registry.register(component(), "one")
    assert str(refused.value) == "one gives `backbone=gru` twice."


def test_of_two_givers_of_one_name_neither_wins() -> None:
    registry = Registry()
    for giver in ("one", "two"):
        registry.register(component(), giver)
    registry.register(component(name="lstm"), "two")
    with pytest.raises(ConflictError) as refused:
        registry.get("backbone", "gru")
    assert str(refused.value) == "`backbone=gru` is given by one and two: neither wins. Uninstall one of them."
    assert registry.conflicts() == [("backbone", "gru", ["one", "two"])]
    assert registry.names("backbone") == ["lstm"]


def test_an_unknown_choice_names_the_nearest_one_and_what_was_set_aside() -> None:
    registry = Registry()
    registry.register(component(), "one")
    registry.set_aside("plugin `x` of y: it is broken.")
    with pytest.raises(UnknownChoiceError) as refused:
        registry.get("backbone", "grru")
    assert str(refused.value) == (
        "`grru` is no choice of `backbone`. Did you mean `gru`? Choices: `gru`.\n"
        "Set aside: plugin `x` of y: it is broken."
    )


def test_a_kind_that_nobody_gives_has_no_choices() -> None:
    with pytest.raises(UnknownChoiceError) as refused:
        Registry().get("backbone", "gru")
    assert str(refused.value) == (
        "`gru` is no choice of `backbone`. There are no choices: no installed plugin gives one."
    )
