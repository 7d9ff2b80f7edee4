"""`mmlm compat`: whether a composition fits together, and which choices fit which, pair by pair."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from mmlm_core import compat
from mmlm_core.cli import say
from mmlm_core.cli.arguments import Parser
from mmlm_core.cli.menu import Menu
from mmlm_core.composition import Choice, Composition, kind_of
from mmlm_core.plugins import load_plugins

__all__ = ["run"]


def run(argv: Sequence[str]) -> None:
    """Run the command.

    Raises:
        MmlmError: Everything that is wrong with the overrides; parts that do not fit are no error here.
    """
    parser = Parser("compat", "Show which choices fit together, and why others do not.\n\n"
                    "The overrides are those of `mmlm train`; each pair of parts is shown as a table of its choices,\n"
                    "where `+` fits and a number refers to the reason below.")  # fmt: skip
    parser.add_argument("overrides", nargs="*", help="the composition to look at, as for `mmlm train`")
    parser.add_argument("--config-dir", type=Path, help="a folder of your own YAML files")
    args = parser.read(argv)
    menu = Menu(load_plugins(), args.config_dir)

    from mmlm_core.cli import composing

    with composing.session(menu) as application:
        composition = composing.to_composition(composing.compose(application, menu, args.overrides), menu)
    found = compat.misfits(composition, menu.registry)
    parts = " ".join(f"{slot}={choice.component.name}" for slot, choice in composition.choices.items())
    say.out(say.wrapped(parts or "Nothing is chosen."))
    say.out("This composition fits together." if not found else "This composition does not fit together:")
    for misfit in found:
        say.out(say.wrapped(f"- {misfit}"))
    _matrices(menu, composition)


def _matrices(menu: Menu, composition: Composition) -> None:
    """Write a table for each pair of slots in which some choices do not fit, with the reasons."""
    candidates = {slot: _candidates(menu, composition, slot) for slot in menu.slots}
    reasons: dict[str, list[str]] = {}  # what is said of a choice, and the choices of which it is said
    for one, other in itertools.combinations(menu.slots, 2):
        cells = [[compat.pair(a, b, menu.registry) for b in candidates[other]] for a in candidates[one]]
        if not any(itertools.chain.from_iterable(cells)):
            continue
        marks = [[",".join(_number(reasons, reason) for reason in cell) or "+" for cell in row] for row in cells]
        say.out()
        names = [choice.component.name for choice in candidates[other]]
        _grid(one, other, [choice.component.name for choice in candidates[one]], names, marks)
    if reasons:
        say.out()
        for number, (told, subjects) in enumerate(reasons.items(), 1):
            say.out(say.wrapped(f"{number}. {', '.join(subjects)} {told}"))
    elif any(candidates.values()):
        say.out("Every pair of installed choices fits together.")


def _number(reasons: dict[str, list[str]], reason: str) -> str:
    """Return the number of a reason, which several choices share where the same is said of them."""
    subject, _, told = reason.partition(" ")
    subjects = reasons.setdefault(told, [])
    if subject not in subjects:
        subjects.append(subject)
    return str(list(reasons).index(told) + 1)


def _candidates(menu: Menu, composition: Composition, slot: str) -> list[Choice]:
    """Return the choices of a slot: the chosen one with its options, the others with their defaults.

    Data whose columns are options says nothing before it is chosen, and is left out.
    """
    chosen = composition.choices.get(slot)
    found = []
    for name in menu.registry.names(kind_of(slot)):
        component = menu.registry.get(kind_of(slot), name)
        if chosen is not None and chosen.component.name == name:
            found.append(chosen)
        elif slot != "data" or not callable(component.traits):
            found.append(Choice(slot, component, component.options()))
    return found


def _grid(one: str, other: str, rows: Sequence[str], columns: Sequence[str], marks: Sequence[Sequence[str]]) -> None:
    """Write a table, in as many blocks of columns as the terminal's width asks for."""
    first = max(len(name) for name in (*rows, one)) + 2
    room, blocks = say.width() - first, [[0]]
    for index in range(1, len(columns)):
        if sum(len(columns[i]) + 2 for i in (*blocks[-1], index)) > room:
            blocks.append([])
        blocks[-1].append(index)
    for block in blocks:
        say.out(say.bold(f"{one:<{first}}{other}"))
        say.out(" " * first + "  ".join(columns[i] for i in block))
        for name, row in zip(rows, marks, strict=True):
            cells = "  ".join(_mark(row[i], len(columns[i])) for i in block)
            say.out(f"{name:<{first}}{cells}".rstrip())


def _mark(mark: str, width: int) -> str:
    """Return a mark in its colour, padded to the width of its column."""
    colour = say.good if mark == "+" else say.bad
    return colour(mark) + " " * (width - len(mark))
