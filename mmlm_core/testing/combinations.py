"""Every combination of what is registered: which fit, a small set that covers all pairs, and what each must do."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from typing import Any

from mmlm_core.compat import misfits
from mmlm_core.composition import Choice, Composition, kind_of, slots
from mmlm_core.options import typed
from mmlm_core.registry import NONE, Component, Registry
from mmlm_core.settings import Settings

__all__ = ["Filler", "combinations", "covering", "fitting", "label", "tiny_choice"]

Filler = Callable[[Component], dict[str, Any]]
"""Gives the options that a component cannot name for itself, such as the path of a file; often an empty mapping."""


def tiny_choice(slot: str, component: Component, fill: Filler) -> Choice:
    """Return a slot filled with a component at its smallest."""
    values = {**component.tiny, **fill(component)}
    return Choice(slot, component, typed(component.options, values, slot, "its tiny options"))


def combinations(
    registry: Registry, fill: Filler, settings: Settings, skip: Iterable[str] = ()
) -> Iterator[Composition]:
    """Yield every composition of the registry's choices, those that do not fit included.

    Projections go with their encoders. Optimizers and schedules take turns, since nothing else depends on them.

    Args:
        registry: The choices.
        fill: For options such as paths.
        settings: Of each composition.
        skip: Choices to leave out, as `data=emoji`.
    """
    left_out = set(skip)
    choices: dict[str, list[Choice | None]] = {}
    for slot in slots(registry):
        kind = kind_of(slot)
        names = [name for name in registry.names(kind) if f"{slot}={name}" not in left_out]
        choices[slot] = [tiny_choice(slot, registry.get(kind, name), fill) for name in names]
        if slot.startswith("encoder/"):
            choices[slot].insert(0, None)
    turns = {slot: itertools.cycle(choices.pop(slot)) for slot in ("optimizer", "schedule")}
    projections = {slot: choices.pop(slot) for slot in list(choices) if slot.startswith("projection/")}
    for combination in itertools.product(*choices.values()):
        chosen = {choice.slot: choice for choice in combination if choice is not None}
        modalities = [slot.partition("/")[2] for slot in chosen if slot.startswith("encoder/")]
        for picks in itertools.product(*(projections[f"projection/{modality}"] for modality in modalities)):
            whole = chosen | {pick.slot: pick for pick in picks if pick is not None}
            for slot, turn in turns.items():
                whole[slot] = next(turn)  # type: ignore[assignment]
            whole["data"] = _reading(whole["data"], modalities)
            yield Composition(whole, settings)


def fitting(compositions: Iterable[Composition], registry: Registry) -> list[Composition]:
    """Return those that the compatibility check accepts, without those that differ only in an unused tokenizer."""
    found: dict[str, Composition] = {}
    for composition in compositions:
        if misfits(composition, registry):
            continue
        if not any(choice.traits.uses_tokenizer for choice in composition.choices.values()):
            composition.choices.pop("tokenizer", None)
        found.setdefault(label(composition), composition)
    return list(found.values())


def covering(compositions: Iterable[Composition]) -> list[Composition]:
    """Return a few of these compositions in which every pair of choices stands that stands together in any of them."""
    left = [(composition, _pairs(composition)) for composition in compositions]
    uncovered = set().union(*(pairs for _, pairs in left)) if left else set()
    chosen = []
    while uncovered:
        best, pairs = max(left, key=lambda entry: len(entry[1] & uncovered))
        chosen.append(best)
        uncovered -= pairs
    return chosen


def label(composition: Composition) -> str:
    """Return a composition's choices as a line, for the names of tests."""
    parts = [
        f"{slot}={composition.choices[slot].component.name}" if slot in composition.choices else f"{slot}={NONE}"
        for slot in composition.choices
        if slot not in ("optimizer", "schedule")
    ]
    return " ".join(parts)


def _pairs(composition: Composition) -> set[tuple[str, str]]:
    words = [f"{slot}={choice.component.name}" for slot, choice in sorted(composition.choices.items())]
    return set(itertools.combinations(words, 2))


def _reading(data: Choice, modalities: list[str]) -> Choice:
    """Return the data source with a mapping of just the modalities that are read, where it holds all of them."""
    if "inputs" not in {f.name for f in fields(data.options)}:
        return data
    given = data.options.inputs
    if not set(modalities) <= set(given):
        return data
    return replace(data, options=replace(data.options, inputs={name: given[name] for name in modalities}))
