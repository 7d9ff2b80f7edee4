"""Whether overrides can be read and name groups and choices that there are; told in our words, all at once."""

from __future__ import annotations

from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, OverrideParseException

from mmlm_core.cli.menu import EXPERIMENT, Menu
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
    for override in overrides:
        if override.is_hydra_override():
            continue
        try:
            if override.is_sweep_override() and not sweep:
                raise OptionError("several values: add `--multirun` to train with each of them; "
                                  "or write a list as `[a,b]`, and text with a comma as '\"a,b\"'.")  # fmt: skip
            if override.key_or_group in menu.groups:
                _check_choice(menu, override)
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


def _check_choice(menu: Menu, override: Override) -> None:
    group = override.key_or_group
    if override.package is not None:
        raise OptionError("a package (`@`) is of no use here.")
    if override.is_delete():
        return
    if override.is_add() or override.is_force_add():
        raise OptionError(f"`+` is for new keys: write `{group}={override.get_value_element_as_str()}`.")
    if override.is_sweep_override():
        values: list[object] = list(override.sweep_string_iterator()) if override.is_discrete_sweep() else []
    else:
        values = [override.value()]
    for value in values:
        if isinstance(value, dict):
            continue
        if value is None and group != EXPERIMENT:
            raise UnknownChoiceError(f"write `{group}={NONE}` to leave it out." if menu.can_be_left_out(group)
                                     else f"`{group}` must be chosen.{menu.listed(group)}")  # fmt: skip
        if isinstance(value, list):
            raise OptionError(f"`{group}` takes one choice, not a list.{menu.listed(group)}")
        if value is not None:
            _check_name(menu, group, str(value), set())


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
