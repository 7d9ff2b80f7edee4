"""Every combination of what is registered: which fit, a small set that covers all pairs, and what each must do."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from mmlm_core.compat import misfits
from mmlm_core.composition import Choice, Composition, kind_of, slots
from mmlm_core.options import typed
from mmlm_core.registry import NONE, Component, Registry
from mmlm_core.settings import Settings

__all__ = ["Filler", "alternatives", "combinations", "covering", "fitting", "label", "possible_pairs", "tiny_choice"]

Filler = Callable[[Component], dict[str, Any]]
"""Gives the options that a component cannot name for itself, such as the path of a file; often an empty mapping."""

Pair = tuple[str, str]
"""Two choices of one composition, each as `slot=name`, in order."""


def tiny_choice(slot: str, component: Component, fill: Filler) -> Choice:
    """Return a slot filled with a component at its smallest."""
    values = {**component.tiny, **fill(component)}
    return Choice(slot, component, typed(component.options, values, slot, "its tiny options"))


def combinations(
    registry: Registry, fill: Filler, settings: Settings, skip: Iterable[str] = ()
) -> Iterator[Composition]:
    """Yield every composition of data, encoders, fusion, backbone and head, those that do not fit included.

    Tokenizers, projections, optimizers and schedules take turns, since hardly anything depends on which they are.

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
    turns = {slot: choices.pop(slot) for slot in list(choices) if _takes_turns(slot)}
    for number, combination in enumerate(itertools.product(*choices.values())):
        chosen = {choice.slot: choice for choice in combination if choice is not None}
        modalities = [slot.partition("/")[2] for slot in chosen if slot.startswith("encoder/")]
        for slot, taking in turns.items():
            number, turn = divmod(number, max(len(taking), 1))  # the digits of a number: all meet all
            if taking and (not slot.startswith("projection/") or f"encoder/{slot.partition('/')[2]}" in chosen):
                chosen[slot] = taking[turn]  # type: ignore[assignment]
        chosen["data"] = _reading(chosen["data"], modalities)
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


def covering(compositions: Iterable[Composition], registry: Registry) -> list[Composition]:
    """Return a few compositions in which every pair of choices stands that can stand together.

    Greedily, as in AETG (Cohen et al. 1997): next comes the composition that adds most pairs, each of its parts that
    take turns being the one that adds most to it.

    Args:
        compositions: All that fit, each choice of the parts that take turns in at least one of them.
        registry: The choices.
    """
    bases = list(compositions)
    turns = alternatives(bases, registry)
    uncovered: set[Pair] = set().union(*map(possible_pairs, bases, turns))
    queue = [(-len(uncovered), number) for number in range(len(bases))]  # what one adds only falls
    chosen = []
    while uncovered:
        number = heapq.heappop(queue)[1]
        whole = _completed(bases[number], turns[number], uncovered)
        added = _pairs(_words(whole)) & uncovered
        heapq.heappush(queue, (-len(added), number))
        if len(added) >= -queue[0][0]:
            chosen.append(whole)
            uncovered -= added
    return chosen


Turns = Mapping[str, Mapping[str, Choice]]
"""The choices that fit in each slot whose parts take turns, by `slot=name`."""


def alternatives(compositions: Sequence[Composition], registry: Registry) -> list[Turns]:
    """Return the choices that each composition may have in the slots whose parts take turns.

    Whether one fits is asked only where a need concerns it, which hardly any does.
    """
    known: dict[str, dict[str, Choice]] = {}
    for composition in compositions:
        for slot, choice in composition.choices.items():
            if _takes_turns(slot):
                known.setdefault(slot, {}).setdefault(f"{slot}={choice.component.name}", choice)
    return [
        {
            slot: {word: choice for word, choice in known[slot].items() if _fits(choice, composition, registry)}
            for slot in composition.choices
            if slot in known
        }
        for composition in compositions
    ]


def possible_pairs(composition: Composition, turns: Turns) -> set[Pair]:
    """Return the pairs of a composition, whichever of the alternatives stands in a slot where parts take turns."""
    options = [
        list(turns[slot]) if slot in turns else [f"{slot}={choice.component.name}"]
        for slot, choice in composition.choices.items()
    ]
    return {
        (min(one, other), max(one, other))
        for some, others in itertools.combinations(options, 2)
        for one in some
        for other in others
    }


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


def label(composition: Composition) -> str:
    """Return a composition's choices as a line, for the names of tests."""
    parts = [
        f"{slot}={composition.choices[slot].component.name}" if slot in composition.choices else f"{slot}={NONE}"
        for slot in composition.choices
        if slot not in ("optimizer", "schedule")
    ]
    return " ".join(parts)


def _takes_turns(slot: str) -> bool:
    return kind_of(slot) in ("tokenizer", "projection", "optimizer", "schedule")


def _completed(base: Composition, turns: Turns, uncovered: set[Pair]) -> Composition:
    """Return a composition with those alternatives that add most uncovered pairs to it."""
    whole = Composition(dict(base.choices), base.settings)
    open_slots = [slot for slot in base.choices if slot in turns]
    words = [word for word, slot in zip(_words(base), base.choices, strict=True) if slot not in turns]
    while open_slots:
        slot = open_slots.pop(0)
        later = [word for other in open_slots for word in turns[other]]

        def gain(word: str, later: Sequence[str] = later) -> tuple[int, int]:
            return _count(word, words, uncovered), _count(word, later, uncovered)

        best = max(turns[slot], key=gain)
        whole.choices[slot] = turns[slot][best]
        words.append(best)
    return whole


def _count(word: str, others: Iterable[str], uncovered: set[Pair]) -> int:
    return sum((min(word, other), max(word, other)) in uncovered for other in others)


def _words(composition: Composition) -> list[str]:
    return [f"{slot}={choice.component.name}" for slot, choice in composition.choices.items()]


def _pairs(words: Iterable[str]) -> set[Pair]:
    return set(itertools.combinations(sorted(words), 2))


def _reading(data: Choice, modalities: list[str]) -> Choice:
    """Return the data source with a mapping of just the modalities that are read, where it holds all of them."""
    if "inputs" not in {f.name for f in fields(data.options)}:
        return data
    given = data.options.inputs
    if not set(modalities) <= set(given):
        return data
    return replace(data, options=replace(data.options, inputs={name: given[name] for name in modalities}))
