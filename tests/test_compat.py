"""A composition is checked from declarations alone, and every misfit comes with what would fit."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from mmlm_core import compat
from mmlm_core.composition import Choice, Composition
from mmlm_core.errors import CompositionError
from mmlm_core.registry import ALL, Component, Need, Registry, Traits


@dataclass
class Empty:
    """Nothing to set."""


@dataclass
class Columns:
    """Data whose columns are options."""

    inputs: list[str] = field(default_factory=list)


def columns(options: Columns) -> Traits:
    return Traits(frozenset({"target", *(f"input:{name}" for name in options.inputs)}))


def component(kind: str, name: str, *provides: str, needs: tuple[Need, ...] = (), **traits: Any) -> Component:
    return Component(kind, name, Empty, "nowhere:Nothing", traits=Traits(frozenset(provides), needs, **traits))


GRID = Need("encoder", "paints", frozenset({"grid"}), every=True)
CAUSAL = Need("backbone", "writes", frozenset({"causal"}))
SOME = Need("encoder", "looks")
OTHER = Need("encoder", "attends", unread=True)


@pytest.fixture
def registry() -> Registry:
    made = Registry()
    for part in (
        component("tokenizer", "char"),
        component("encoder/image", "cnn", "grid", "sequence"),
        component("encoder/image", "clip", "pooled"),
        component("encoder/text", "embedding", "sequence", uses_tokenizer=True),
        component("projection", "linear"),
        component("fusion", "concat"),
        component("fusion", "attention", needs=(OTHER,)),
        component("backbone", "gru", "causal"),
        component("backbone", "bert", "bidirectional"),
        component("head", "plain"),
        component("head", "caption", needs=(CAUSAL, SOME)),
        component("head", "paint", needs=(GRID,)),
        component("head", "tag", reads=frozenset({"text"})),
        component("head", "pool", reads=ALL),
        Component("data", "table", Columns, "nowhere:Nothing", traits=columns),
        component("optimizer", "adam"),
        component("schedule", "flat"),
    ):
        made.register(part, "toys")
    return made.freeze()


def compose(registry: Registry, encoders: dict[str, str] | None = None, **changes: Any) -> Composition:
    encoders = encoders if encoders is not None else {"image": "cnn"}
    names = {"data": "table", "fusion": "concat", "backbone": "gru", "head": "plain", "optimizer": "adam",
             "schedule": "flat", **changes}  # fmt: skip
    mapping: dict[str, Any] = {slot: {"name": name} for slot, name in names.items() if name}
    if "data" in mapping:
        mapping["data"]["inputs"] = ["image", "text"]
    mapping["encoder"] = {modality: {"name": name} for modality, name in encoders.items()}
    mapping["projection"] = {modality: {"name": "linear"} for modality in encoders}
    return Composition.from_mapping(registry, mapping)


def reasons(registry: Registry, composition: Composition) -> list[str]:
    return [str(misfit) for misfit in compat.misfits(composition, registry)]


def test_a_composition_that_fits_has_no_misfits(registry: Registry) -> None:
    compat.check(compose(registry), registry)
    compat.check(compose(registry, head="caption"), registry)
    compat.check(compose(registry, {"image": "cnn", "text": "embedding"}, tokenizer="char"), registry)


def test_a_slot_that_must_be_filled_is_told_with_its_choices_and_nothing_that_follows(registry: Registry) -> None:
    assert reasons(registry, compose(registry, backbone="", head="caption")) == [
        "`backbone` is not chosen. These fit: `backbone=bert`, `backbone=gru`."
    ]


def test_a_slot_that_nobody_can_fill_says_so() -> None:
    empty = Registry().freeze()
    assert reasons(empty, Composition({}))[0] == "`data` is not chosen, and no installed plugin gives one."


def test_a_need_that_is_not_met_is_told_with_what_would_fit(registry: Registry) -> None:
    assert reasons(registry, compose(registry, backbone="bert", head="caption")) == [
        "`head=caption` writes: it needs a `backbone` that provides `causal`. These fit: `backbone=gru`."
    ]


def test_a_need_of_any_encoder_is_met_by_one(registry: Registry) -> None:
    assert reasons(registry, compose(registry, {}, head="caption")) == [
        "`head=caption` looks: it needs an `encoder`. These fit: `encoder/image=clip`, `encoder/image=cnn`, "
        "`encoder/text=embedding`."
    ]


def test_a_need_of_every_encoder_is_not_met_by_one(registry: Registry) -> None:
    both = compose(registry, {"image": "cnn", "text": "embedding"}, head="paint", tokenizer="char")
    assert reasons(registry, both) == [
        "`head=paint` paints: it needs every `encoder` that provides `grid`. These fit: `encoder/image=cnn`."
    ]


def test_a_component_that_must_not_be_there_is_told_with_the_others(registry: Registry) -> None:
    alone = Need("backbone", "has no layers", frozenset({"causal"}), absent=True)
    composition = compose(registry)
    composition.choices["fusion"] = Choice("fusion", component("fusion", "still", needs=(alone,)), Empty())
    assert reasons(registry, composition) == [
        "`fusion=still` has no layers: it goes with no `backbone` that provides `causal`. These fit: `backbone=bert`."
    ]
    composition.choices["backbone"] = compose(registry, backbone="bert")["backbone"]
    assert reasons(registry, composition) == []


@pytest.mark.parametrize(
    ("head", "read"), [("plain", "`head=plain` reads none"), ("tag", "`head=tag` reads `text`"), ("pool", "")]
)
def test_no_input_may_be_left_that_the_head_does_not_read(registry: Registry, head: str, read: str) -> None:
    late = Need("encoder", "keeps inputs apart", unread=True, absent=True)
    composition = compose(registry, head=head)
    composition.choices["fusion"] = Choice("fusion", component("fusion", "late", needs=(late,)), Empty())
    assert reasons(registry, composition) == (
        ["`fusion=late` keeps inputs apart: it goes with no `encoder` of an input that the head does not read itself, "
         f"and {read}."] if read else []
    )  # fmt: skip
    nothing = compose(registry, {}, head="plain")
    nothing.choices["fusion"] = composition["fusion"]
    assert reasons(registry, nothing) == []


def test_a_number_of_encoders_is_exact(registry: Registry) -> None:
    two = Need("encoder", "compares", count=2)
    for encoders in ({}, {"image": "cnn"}, {"image": "cnn", "text": "embedding"}):
        composition = compose(registry, encoders, tokenizer="char")
        composition.choices["head"] = Choice("head", component("head", "pair", needs=(two,)), Empty())
        assert [misfit.reason for misfit in compat.misfits(composition, registry)] == (
            [] if len(encoders) == 2 else
            [f"`head=pair` compares: it needs exactly 2 of `encoder` and has {len(encoders)}."]
        )  # fmt: skip


def test_who_reads_text_needs_a_tokenizer(registry: Registry) -> None:
    assert reasons(registry, compose(registry, {"text": "embedding"})) == [
        "`encoder/text=embedding` reads or writes text: it needs a `tokenizer`. These fit: `tokenizer=char`."
    ]


def test_an_encoder_of_what_the_data_does_not_give_is_told(registry: Registry) -> None:
    composition = compose(registry)
    composition["data"].options.inputs = ["sound"]
    assert reasons(registry, composition) == [
        "`encoder/image=cnn` reads `image`, which `data=table` does not give (it gives `sound`): map a column, as "
        "`data.inputs.image=COLUMN`, or leave the modality out with `encoder/image=none`."
    ]


def test_all_misfits_are_told_at_once(registry: Registry) -> None:
    with pytest.raises(CompositionError) as refused:
        compat.check(compose(registry, backbone="bert", head="caption", schedule=""), registry)
    assert str(refused.value) == (
        "This composition does not fit together:\n"
        "  - `schedule` is not chosen. These fit: `schedule=flat`.\n"
        "  - `head=caption` writes: it needs a `backbone` that provides `causal`. These fit: `backbone=gru`."
    )


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (("head", "caption"), ("backbone", "gru"), []),
        (("head", "caption"), ("backbone", "bert"),
         ["`head=caption` writes: it needs a `backbone` that provides `causal`."]),
        (("head", "paint"), ("encoder/image", "clip"),
         ["`head=paint` paints: it needs every `encoder` that provides `grid`."]),
        (("head", "caption"), ("encoder/image", "clip"), []),
        (("encoder/text", "embedding"), ("tokenizer", "char"), []),
    ],
)  # fmt: skip
def test_a_pair_is_judged_whatever_else_is_chosen(
    registry: Registry, one: tuple[str, str], other: tuple[str, str], told: list[str]
) -> None:
    a, b = (Choice(kind, registry.get(kind, name), Empty()) for kind, name in (one, other))
    assert compat.pair(a, b, registry) == told
    assert compat.pair(b, a, registry) == told


def test_a_fusion_that_attends_to_inputs_needs_one_that_the_head_does_not_read(registry: Registry) -> None:
    both = {"image": "cnn", "text": "embedding"}
    compat.check(compose(registry, fusion="attention"), registry)
    compat.check(compose(registry, both, fusion="attention", head="tag", tokenizer="char"), registry)
    assert reasons(registry, compose(registry, {"text": "embedding"}, fusion="attention", head="tag",
                                     tokenizer="char")) == [
        "`fusion=attention` attends: it needs an `encoder` of an input that the head does not read itself, and "
        "`head=tag` reads `text`. These fit: `encoder/image=clip`, `encoder/image=cnn`."
    ]  # fmt: skip
    assert reasons(registry, compose(registry, both, fusion="attention", head="pool", tokenizer="char")) == [
        "`fusion=attention` attends: it needs an `encoder` of an input that the head does not read itself, and "
        "`head=pool` reads every input."
    ]


@dataclass
class File:
    """Data of a file that is named."""

    path: str | None = None
    inputs: list[str] = field(default_factory=list)
    target: str | None = None


def file_traits(options: File) -> Traits:
    target = {"target"} if options.target else set()
    return Traits(frozenset({*target, *(f"input:{name}" for name in options.inputs)}))


LEARNS = Need("data", "learns", frozenset({"target"}))
MASKS = Need("data", "paints", frozenset({"target:masks"}))


@pytest.fixture
def sources() -> Registry:
    made = Registry()
    for part in (
        component("encoder/image", "cnn", "grid"),
        component("encoder/text", "embedding"),
        component("projection", "linear"),
        component("fusion", "concat"),
        component("backbone", "gru"),
        component("head", "caption", needs=(SOME, LEARNS)),
        component("head", "paint", needs=(GRID, MASKS)),
        Component("data", "table", File, "nowhere:Nothing", traits=file_traits),
        component("data", "mail", "input:text", "target"),
        component("data", "poems", "target"),
        component("data", "pictures", "input:image", "target"),
        component("data", "scenes", "input:image", "target:masks"),
        component("optimizer", "adam"),
        component("schedule", "flat"),
    ):
        made.register(part, "toys")
    return made.freeze()


def told(registry: Registry, data: dict[str, Any], head: str, **encoders: str) -> list[str]:
    mapping: dict[str, Any] = {
        "data": data, "fusion": {"name": "concat"}, "backbone": {"name": "gru"}, "head": {"name": head},
        "optimizer": {"name": "adam"}, "schedule": {"name": "flat"},
        "encoder": {name: {"name": choice} for name, choice in encoders.items()},
        "projection": {name: {"name": "linear"} for name in encoders},
    }  # fmt: skip
    return reasons(registry, Composition.from_mapping(registry, mapping))


def test_only_encoders_that_the_data_feeds_are_said_to_fit(sources: Registry) -> None:
    assert told(sources, {"name": "mail"}, "caption") == [
        "`head=caption` looks: it needs an `encoder`. These fit: `encoder/text=embedding`."
    ]


def test_where_the_data_feeds_no_encoder_data_that_does_is_said_to_fit(sources: Registry) -> None:
    assert told(sources, {"name": "poems"}, "caption") == [
        "`head=caption` looks: it needs an `encoder`, and `data=poems` gives no inputs. "
        "These fit: `data=mail`, `data=pictures`."
    ]
    assert told(sources, {"name": "mail"}, "paint") == [
        "`head=paint` paints: it needs every `encoder` that provides `grid`, and `data=mail` gives `text`. "
        "These fit: `data=scenes`.",
        "`head=paint` paints: it needs a `data` that provides `target:masks`. These fit: `data=scenes`.",
    ]


def test_only_data_that_feeds_the_encoders_is_said_to_fit(sources: Registry) -> None:
    assert told(sources, {"name": "scenes"}, "caption", image="cnn") == [
        "`head=caption` learns: it needs a `data` that provides `target`. These fit: `data=pictures`."
    ]
    assert told(sources, {"name": "mail"}, "caption", image="cnn") == [
        "`encoder/image=cnn` reads `image`, which `data=mail` does not give (it gives `text`): choose other data, or "
        "leave the modality out with `encoder/image=none`. These fit: `data=pictures`."
    ]


def test_what_a_table_is_to_learn_is_asked_for_and_no_other_data(sources: Registry) -> None:
    assert told(sources, {"name": "table"}, "caption", image="cnn") == [
        "`head=caption` learns: it needs a `data` that provides `target`. For `data=table`, name the column: "
        "`data.path=FILE data.target=COLUMN`.",
        "`encoder/image=cnn` reads `image`, which `data=table` does not give (it gives no inputs): map a column, as "
        "`data.path=FILE data.inputs.image=COLUMN`, or leave the modality out with `encoder/image=none`.",
    ]
    assert told(sources, {"name": "table", "path": "a.csv", "inputs": ["image"]}, "caption", image="cnn") == [
        "`head=caption` learns: it needs a `data` that provides `target`. For `data=table`, name the column: "
        "`data.target=COLUMN`."
    ]
