"""Every combination of what is registered: which fit, and small sets that cover all pairs of choices, or larger sets.

What fits depends on what components declare and on nothing else. So choices that declare the same stand for each other,
and the compositions that are enumerated are those of declarations, which stay few as plugins grow.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from mmlm_core.compat import misfits
from mmlm_core.composition import Choice, Composition, kind_of, slots
from mmlm_core.options import typed
from mmlm_core.registry import NONE, Component, Need, Registry
from mmlm_core.settings import Settings

__all__ = ["Choices", "Filler", "Turns", "alternatives", "combinations", "covering", "every_choice", "fitting", "label",
           "possible", "tiny_choice"]  # fmt: skip

Choices = Mapping[str, Sequence[Choice]]
"""What can stand in each slot."""

Filler = Callable[[Component], dict[str, Any] | None]
"""Gives the options that a component cannot name for itself, such as the path of a file; often an empty mapping. None:
the component cannot be tried."""

Turns = Mapping[str, Mapping[str, Choice]]
"""The choices that fit in each slot of a composition, by `slot=name`."""

TRIED = 6
"""Compositions among which the one that covers most is taken."""

Words = tuple[str, ...]
"""Choices that can stand in one composition, each as `slot=name`, in order."""


def tiny_choice(slot: str, component: Component, given: Mapping[str, Any]) -> Choice:
    """Return a slot filled with a component at its smallest."""
    return Choice(slot, component, typed(component.options, {**component.tiny, **given}, slot, "its tiny options"))


def every_choice(registry: Registry, fill: Filler) -> Choices:
    """Return what can stand in each slot, at its smallest."""
    choices: dict[str, list[Choice]] = {}
    for slot in slots(registry):
        components = [registry.get(kind_of(slot), name) for name in registry.names(kind_of(slot))]
        options = [(component, fill(component)) for component in components]
        choices[slot] = [tiny_choice(slot, component, given) for component, given in options if given is not None]
    return choices


def combinations(choices: Choices, settings: Settings) -> Iterator[Composition]:
    """Yield a composition of data, encoders, fusion, backbone and head for all that declare the same, misfits included.

    Tokenizers, projections, optimizers and schedules take turns, since hardly anything depends on which they are.

    Args:
        choices: What can stand in each slot.
        settings: Of each composition.
    """
    kinds = {slot: [alike[0] for alike in _alike(choices, slot)] for slot in choices if not _takes_turns(slot)}
    multiplied: list[list[Choice | None]] = [
        [*([None] if slot.startswith("encoder/") else []), *firsts] for slot, firsts in kinds.items()
    ]
    turns = {slot: choices[slot] for slot in choices if _takes_turns(slot)}
    for number, combination in enumerate(itertools.product(*multiplied)):
        chosen = {choice.slot: choice for choice in combination if choice is not None}
        for slot, taking in turns.items():
            number, turn = divmod(number, max(len(taking), 1))  # the digits of a number: all meet all
            if taking and (not slot.startswith("projection/") or f"encoder/{slot.partition('/')[2]}" in chosen):
                chosen[slot] = taking[turn]
        chosen["data"] = _reading(chosen["data"], chosen)
        yield Composition(chosen, settings)


def fitting(compositions: Iterable[Composition], registry: Registry) -> list[Composition]:
    """Return those that the compatibility check accepts, without their tokenizer where nothing uses it."""
    found = []
    for composition in compositions:
        if misfits(composition, registry):
            continue
        if not composition.uses_tokenizer:
            composition.choices.pop("tokenizer", None)
        found.append(composition)
    return found


def alternatives(compositions: Sequence[Composition], choices: Choices, registry: Registry) -> list[Turns]:
    """Return the choices that each composition may have in each of its slots.

    Where parts take turns, whether one fits is asked only if a need concerns it, which hardly any does; elsewhere those
    fit that declare the same.
    """
    alike = {_word(choice): group for slot in choices for group in _alike(choices, slot) for choice in group}

    def fit(slot: str, composition: Composition) -> list[Choice]:
        if _takes_turns(slot):
            return [choice for choice in choices[slot] if _fits(choice, composition, registry)]
        return [_reading(choice, composition.choices) for choice in alike[_word(composition[slot])]]

    return [
        {slot: {_word(choice): choice for choice in fit(slot, each)} for slot in each.choices} for each in compositions
    ]


def possible(turns: Turns, size: int = 2, among: Collection[str] | None = None) -> set[Words]:
    """Return every set of so many choices that stands in a composition, whichever alternative stands in each slot.

    Args:
        turns: The composition's alternatives.
        size: 2 for pairs, 3 for triples, ...
        among: The kinds that count, as `head` and `encoder`; None: all.
    """
    counted = [list(words) for slot, words in turns.items() if among is None or slot.partition("/")[0] in among]
    return {
        tuple(sorted(words))
        for options in itertools.combinations(counted, size)
        for words in itertools.product(*options)
    }


def covering(
    bases: Sequence[Composition], turns: Sequence[Turns], size: int = 2, among: Collection[str] | None = None
) -> list[Composition]:
    """Return a few compositions in which every set of so many choices stands that can stand together.

    Greedily, as in AETG (Cohen et al. 1997): each composition begins with a set that is not covered yet, and every
    further part is the alternative that adds most; of a few such compositions the one that covers most is kept.

    Args:
        bases: All that fit, one for those that declare the same.
        turns: The alternatives of each.
        size: 2 for pairs, 3 for triples, ...
        among: The kinds that count, as `head` and `encoder`; None: all.
    """
    places: dict[Words, list[int]] = {}
    for number in random.Random(0).sample(range(len(bases)), len(bases)):  # else those that are tried would be alike
        for words in possible(turns[number], size, among):
            found = places.setdefault(words, [])
            if len(found) < TRIED:
                found.append(number)
    uncovered = set(places)
    chosen = []
    for seed in sorted(places):
        if seed in uncovered:
            tried = [_completed(bases[number], turns[number], seed, uncovered) for number in places[seed]]
            best = max(tried, key=lambda each: len(_sets(each, size) & uncovered))
            uncovered -= _sets(best, size)
            chosen.append(best)
    return chosen


def label(composition: Composition) -> str:
    """Return a composition's choices as a line, for the names of tests."""
    parts = [
        f"{slot}={composition.choices[slot].component.name}" if slot in composition.choices else f"{slot}={NONE}"
        for slot in composition.choices
        if slot not in ("optimizer", "schedule")
    ]
    return " ".join(parts)


def _alike(choices: Choices, slot: str) -> list[list[Choice]]:
    """Return the choices of a slot, those that declare the same together."""
    asked = {word for each in itertools.chain(*choices.values()) for need in each.traits.needs for word in need.has}
    groups: dict[Hashable, list[Choice]] = {}
    for choice in choices[slot]:
        groups.setdefault(_declared(choice, asked), []).append(choice)
    return list(groups.values())


def _declared(choice: Choice, asked: Collection[str]) -> Hashable:
    """Return all of what a choice declares that can decide whether it fits.

    Args:
        choice: A choice.
        asked: The words that some need names.
    """
    traits = choice.traits
    provided = frozenset(word for word in traits.provides if word in asked or word.startswith("input:"))
    needs = frozenset(_without_reason(need) for need in traits.needs)
    return provided, needs, traits.uses_tokenizer, traits.reads, "inputs" in _option_names(choice)


def _without_reason(need: Need) -> Need:
    return replace(need, because="")


def _fits(choice: Choice, composition: Composition, registry: Registry) -> bool:
    """Whether a choice fits in its slot of a composition that is otherwise complete."""
    concerned = choice.traits.needs or any(
        need.of.partition("/")[0] == choice.slot.partition("/")[0]
        for other in composition.choices.values()
        for need in other.traits.needs
    )
    if not concerned:
        return True
    return not misfits(Composition({**composition.choices, choice.slot: choice}, composition.settings), registry)


def _takes_turns(slot: str) -> bool:
    return kind_of(slot) in ("tokenizer", "projection", "optimizer", "schedule")


def _completed(base: Composition, turns: Turns, seed: Words, uncovered: set[Words]) -> Composition:
    """Return a composition with the choices of a set, and those others that add most uncovered sets to it."""
    whole = Composition(dict(base.choices), base.settings)
    words = list(seed)
    for slot, fit in turns.items():
        given = [word for word in seed if word in fit]
        best = given[0] if given else max(fit, key=lambda word: _added(word, words, uncovered, len(seed)))
        whole.choices[slot] = fit[best]
        words += [] if given else [best]
    return whole


def _added(word: str, others: Iterable[str], uncovered: set[Words], size: int) -> int:
    """Return how many uncovered sets a word makes with those that stand there already."""
    return sum(tuple(sorted((word, *rest))) in uncovered for rest in itertools.combinations(others, size - 1))


def _sets(composition: Composition, size: int) -> set[Words]:
    return set(itertools.combinations(sorted(map(_word, composition.choices.values())), size))


def _option_names(choice: Choice) -> set[str]:
    return {field.name for field in fields(choice.options)}


def _word(choice: Choice) -> str:
    return f"{choice.slot}={choice.component.name}"


def _reading(data: Choice, chosen: Mapping[str, Choice]) -> Choice:
    """Return the data source with a mapping of just the modalities that are read, where it holds all of them.

    Any other choice is returned as it is.
    """
    modalities = [slot.partition("/")[2] for slot in chosen if slot.startswith("encoder/")]
    if data.slot != "data" or "inputs" not in _option_names(data):
        return data
    given = data.options.inputs
    if not set(modalities) <= set(given):
        return data
    return replace(data, options=replace(data.options, inputs={name: given[name] for name in modalities}))
