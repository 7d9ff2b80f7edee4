"""`mmlm compat`: whether a composition fits together, and which choices fit which, pair by pair."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from pathlib import Path

from mmlm_core import compat
from mmlm_core.cli import say
from mmlm_core.cli.arguments import Parser
from mmlm_core.cli.menu import Menu
from mmlm_core.composition import Choice, Composition, kind_of
from mmlm_core.errors import MmlmError, UnknownChoiceError, did_you_mean, gather, one_of
from mmlm_core.plugins import load_plugins

__all__ = ["run"]


def run(argv: Sequence[str]) -> None:
    """Run the command.

    Raises:
        MmlmError: Everything that is wrong with the overrides, and every kind that there is not; parts that do not fit
            are no error here.
    """
    parser = Parser("compat", "Say whether a composition fits together; where it does not, why, and what would.\n\n"
                    "The overrides are those of `mmlm train`. A kind beside them shows a table of its choices with\n"
                    "those of each other part, `--matrix` every table: `+` fits, a number is a reason below.\n\n"
                    "Examples:\n"
                    "  mmlm compat experiment=emoji_captioning backbone=cnn\n"
                    "  mmlm compat head fusion                    the tables of two kinds\n"
                    "  mmlm compat --matrix                       the table of every pair")  # fmt: skip
    parser.add_argument("words", metavar="OVERRIDE | KIND", nargs="*", help="the composition to look at, as for "
                        "`mmlm train`; or kinds, as `head`")  # fmt: skip
    parser.add_argument("--matrix", action="store_true", help="show the table of every pair of kinds")
    parser.add_argument("--config-dir", type=Path, help="a folder of your own YAML files")
    args = parser.read(argv)
    menu = Menu(load_plugins(), args.config_dir)
    kinds = [word for word in args.words if "=" not in word and not word.startswith("~")]
    overrides = [word for word in args.words if word not in kinds]
    shown = _slots(menu, kinds) if kinds else set(menu.slots)

    from mmlm_core.cli import composing

    with composing.session(menu) as application:
        composition = composing.to_composition(composing.compose(application, menu, overrides), menu)
    if overrides or not (kinds or args.matrix):
        _answer(menu, composition)
    if kinds or args.matrix:
        if overrides:
            say.out()
        _matrices(menu, composition, shown)
    elif not overrides:
        say.out()
        say.out(say.wrapped("What fits with what: `mmlm compat head` shows the tables of one kind, `--matrix` all."))


def _answer(menu: Menu, composition: Composition) -> None:
    """Say whether a composition fits, and of which parts it is."""
    found = compat.misfits(composition, menu.registry)
    parts = " ".join(f"{slot}={choice.component.name}" for slot, choice in composition.choices.items())
    verdict = "does not fit together" if found else "fits together"
    say.out(f"This composition {verdict}:")
    for misfit in found:
        say.out(say.wrapped(f"- {misfit}"))
    if found:
        say.out("Its parts:")
    say.out(say.wrapped(parts or "nothing is chosen", "  "))


def _slots(menu: Menu, kinds: Sequence[str]) -> set[str]:
    """Return the slots of some kinds: `encoder` means every modality's.

    Raises:
        MmlmError: With every kind that there is not.
    """
    problems, found = list[MmlmError](), set[str]()
    for kind in kinds:
        slots = {slot for slot in menu.slots if slot == kind or slot.startswith(f"{kind}/")}
        if not slots:
            names = sorted({*menu.slots, *(slot.partition("/")[0] for slot in menu.slots)})
            problems.append(UnknownChoiceError(f"`{kind}` is no kind of part, and no override as `group=choice`."
                                               f"{did_you_mean(kind, names)}{one_of(names)}"))  # fmt: skip
        found |= slots
    if problems:
        raise gather(problems)
    return found


def _matrices(menu: Menu, composition: Composition, shown: Collection[str]) -> None:
    """Write a table for each pair of slots in which some choices do not fit, with the reasons.

    Args:
        menu: The choices.
        composition: What is chosen, with its options.
        shown: The slots of which one must be in the pair.
    """
    candidates = {slot: _candidates(menu, composition, slot) for slot in menu.slots}
    reasons: dict[str, list[str]] = {}  # what is said of a choice, and the choices of which it is said
    tables = 0
    for one, other in itertools.combinations(menu.slots, 2):
        if one not in shown and other not in shown:
            continue
        cells = [[compat.pair(a, b, menu.registry) for b in candidates[other]] for a in candidates[one]]
        if not any(itertools.chain.from_iterable(cells)):
            continue
        marks = [[",".join(_number(reasons, reason) for reason in cell) or "+" for cell in row] for row in cells]
        if tables:
            say.out()
        tables += 1
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
