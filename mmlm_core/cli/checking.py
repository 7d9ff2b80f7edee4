"""Whether overrides can be read and name groups and choices that there are; told in our words, all at once."""

from __future__ import annotations

from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, OverrideParseException

from mmlm_core.cli.menu import EXPERIMENT, SCALE, Menu
from mmlm_core.errors import ConflictError, MmlmError, OptionError, UnknownChoiceError, did_you_mean, gather, one_of
from mmlm_core.registry import NONE

__all__ = ["check_choices", "parse"]


def parse(overrides: Sequence[str]) -> list[Override]:
    """Return the overrides as Hydra reads them.

    Raises:
        OptionError: With every override that it cannot read.
    """
    parser, parsed, problems = OverridesParser.create(), [], list[MmlmError]()
    for text in overrides:
        try:
            parsed += parser.parse_overrides([text])
        except (OverrideParseException, HydraException):
            problems.append(OptionError(f"The override `{text}` cannot be read: {_unreadable(text)}."))
    if problems:
        raise gather(problems)
    return parsed


def _unreadable(text: str) -> str:
    """Return how an override should have been written."""
    key, equals, value = text.partition("=")
    if not equals:
        return "it must read `group=choice` or `group.option=value`"
    if "/" in key and "." in key:
        return f"options have dots: write `{key.replace('/', '.')}={value}`"
    return f"quote a value that has spaces or signs of its own, as '{key}=\"{value}\"'"


def check_choices(menu: Menu, overrides: Sequence[Override], sweep: bool) -> None:
    """Check each override's group, and the choices that it and the presets behind it make.

    Raises:
        MmlmError: Every unknown group and choice, and every override of a form that is of no use here.
    """
    problems: list[MmlmError] = []
    experiments = [str(value) for override in overrides if override.key_or_group == EXPERIMENT
                   for value in _values(override)]  # fmt: skip
    for override in overrides:
        if override.is_hydra_override():
            continue
        try:
            if override.is_sweep_override() and not sweep:
                raise OptionError("several values: add `--multirun` to train with each of them; "
                                  "or write a list as `[a,b]`, and text with a comma as '\"a,b\"'.")  # fmt: skip
            if override.key_or_group in menu.groups:
                _check_choice(menu, override, experiments)
            else:
                _check_group(menu, override)
        except MmlmError as error:
            problems.append(type(error)(f"`{override.input_line}`: {error}"))
    if problems:
        raise gather(problems)


def _check_group(menu: Menu, override: Override) -> None:
    """Check that the first part of an option's path is a group."""
    key = override.key_or_group
    roots = sorted({group.partition("/")[0] for group in menu.groups})
    slashed, dotted = key.replace(".", "/"), key.replace("/", ".")
    if slashed in menu.groups and not isinstance(override.value(), dict):
        raise UnknownChoiceError(f"`{slashed}` is a group: write `{slashed}={override.get_value_element_as_str()}`.")
    if "/" in key and any(dotted.startswith(f"{group.replace('/', '.')}.") for group in menu.groups):
        raise UnknownChoiceError(f"options have dots: write `{dotted}={override.get_value_element_as_str()}`.")
    if override.package is not None:
        raise OptionError("a package (`@`) is of no use here.")
    known = key.partition(".")[0] if "/" not in key else key
    if "/" in key or known not in roots:
        names = menu.groups if "/" in key or "." not in key else roots
        raise UnknownChoiceError(f"`{known}` is no group.{did_you_mean(known, names)}{one_of(names)}")


def _values(override: Override) -> list[object]:
    """Return what an override chooses, and each of these where it is a sweep that can be listed."""
    if override.is_delete() or (override.is_sweep_override() and not override.is_discrete_sweep()):
        return []
    return list(override.sweep_string_iterator()) if override.is_sweep_override() else [override.value()]


def _check_choice(menu: Menu, override: Override, experiments: Sequence[str]) -> None:
    group = override.key_or_group
    if override.package is not None:
        raise OptionError("a package (`@`) is of no use here.")
    if override.is_delete():
        return
    if override.is_add() or override.is_force_add():
        raise OptionError(f"`+` is for new keys: write `{group}={override.get_value_element_as_str()}`.")
    for value in _values(override):
        if isinstance(value, dict):
            continue
        if value is None and group in (EXPERIMENT, SCALE):
            raise UnknownChoiceError(f"leave `{group}` away to choose none.{menu.listed(group)}")
        if value is None:
            raise UnknownChoiceError(f"write `{group}={NONE}` to leave it out." if menu.can_be_left_out(group)
                                     else f"`{group}` must be chosen.{menu.listed(group)}")  # fmt: skip
        if isinstance(value, list):
            raise OptionError(f"`{group}` takes one choice, not a list.{menu.listed(group)}")
        if group == SCALE:
            _check_scale(menu, str(value), experiments)
        else:
            _check_name(menu, group, str(value), set())


def _check_scale(menu: Menu, name: str, experiments: Sequence[str]) -> None:
    """Check that each experiment that is chosen has a scale, which sets options and chooses no parts."""
    if not experiments:
        menu.check(SCALE, name)
        raise OptionError(f"a scale is one of an experiment, and none is chosen: write `{EXPERIMENT}=NAME "
                          f"{SCALE}={name}`.{menu.having(name)}")  # fmt: skip
    for experiment in experiments:
        for preset in reversed(menu.experiments(experiment)):
            if preset.name in menu.presets(f"{SCALE}/{name}"):
                menu.check(f"{SCALE}/{name}", preset.name)  # two packages may give it
                break
        sizes, known = menu.scale(experiment, name), menu.scales(experiment)
        if sizes and "defaults" in sizes.content:
            raise OptionError(f"`{sizes.path}` has `defaults`, and a scale chooses no parts: it sets options.")
        if sizes or experiment not in menu.choices(EXPERIMENT):
            continue
        told = one_of(list(known)).replace("Choices", "Its scales") if known else " It has no scale."
        raise UnknownChoiceError(
            f"`{name}` is no scale of `{EXPERIMENT}={experiment}`.{did_you_mean(name, known)}{told}"
        )


def _check_name(menu: Menu, group: str, name: str, seen: set[tuple[str, str]]) -> None:
    """Check a choice, and those that the file behind it makes."""
    menu.check(group, name)
    preset = menu.preset(group, name)
    if preset is None or (group, name) in seen:
        return
    for other, base in preset.bases:
        if other.startswith("hydra/") or "$" in base or base in ("None", "null"):
            continue
        try:
            if other in menu.groups or other == preset.group:
                _check_name(menu, other, base, {*seen, (group, name)})
            elif not any((folder / other / f"{base}.yaml").is_file() for _, folder in menu.folders):
                raise UnknownChoiceError(
                    f"`{other}` is no group: no installed plugin gives it."
                    f"{did_you_mean(other, menu.groups)}{one_of(menu.groups)}"
                )
        except (UnknownChoiceError, ConflictError) as error:
            raise type(error)(f"{error} It is chosen by `{preset.path}`.") from error
