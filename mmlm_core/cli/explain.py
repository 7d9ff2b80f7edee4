"""Why Hydra could not compose, in our words: found by looking, never by reading its messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig

from mmlm_core.cli.menu import EXPERIMENT, OPEN, SCALE, Menu, Preset
from mmlm_core.composition import kind_of
from mmlm_core.errors import (
    CompositionError,
    MmlmError,
    OptionError,
    UnknownChoiceError,
    did_you_mean,
    gather,
    one_of,
)
from mmlm_core.options import option_types
from mmlm_core.registry import leaves_out
from mmlm_core.settings import Settings

__all__ = ["Origin", "explain", "origin"]

FURTHER = {
    "joblib": "hydra-joblib-launcher", "optuna": "hydra-optuna-sweeper", "submitit_local": "hydra-submitit-launcher",
    "submitit_slurm": "hydra-submitit-launcher",
}  # fmt: skip
"""Launchers and sweepers that are distributions of their own."""

Origin = Callable[[str], str]
"""Tells where the value at a path of the configuration comes from."""


def explain(
    error: Exception, menu: Menu, overrides: Sequence[Override], base: DictConfig | None
) -> MmlmError | Exception:
    """Return why Hydra could not compose, in our words.

    Args:
        error: What Hydra raised.
        menu: The choices.
        overrides: All overrides.
        base: What the choices compose without the other overrides; None where that fails too.
    """
    problems: list[MmlmError] = []
    if isinstance(error, MissingConfigException) and error.options is not None:
        problems.append(_no_choice(str(error.missing_cfg_file), error.options))
    elif base is None:
        problems += _broken_presets(error, menu, overrides)
    else:
        for override in overrides:
            if override.key_or_group not in menu.groups and not override.is_hydra_override():
                problems += _unusable(override, menu, base)
    if problems:
        return gather(problems)
    told = next(iter(str(error).splitlines()), "")  # the others advise to add a `+`, which is no way out
    return CompositionError(f"Hydra cannot compose this: {told}") if isinstance(error, HydraException) else error


def _no_choice(path: str, options: Sequence[str]) -> UnknownChoiceError:
    """Return why there is no choice in a group of Hydra's own, with what brings it where that is known."""
    group, _, name = path.rpartition("/")
    brings = f" `pip install {FURTHER[name]}` brings it." if name in FURTHER else ""
    near = did_you_mean(name, [*options, *FURTHER])
    return UnknownChoiceError(f"`{name}` is no choice of `{group}`.{brings or near}{one_of(options)}")


def origin(path: str, overrides: Sequence[Override], menu: Menu, choices: Mapping[str, str]) -> str:
    """Return where the value at a path comes from: the overrides as they were typed, or a file."""
    touching = [override for override in overrides if _touches(override.key_or_group.replace("/", "."), path)]
    options = [f"`{override.input_line}`" for override in touching if override.key_or_group not in menu.groups]
    if options:
        return f"the override {options[0]}" if len(options) == 1 else f"the overrides {' '.join(options)}"
    for preset in _chosen_presets(menu, choices):
        prefix = "" if preset.is_global else f"{preset.group.replace('/', '.')}."
        node: Any = preset.content
        if f"{path}." == prefix:
            return f"`{preset.path}`"
        inside = path.removeprefix(prefix)
        if inside != path or not prefix:
            for part in inside.split("."):
                node = node.get(part) if isinstance(node, dict) else None
            if node is not None:
                return f"`{preset.path}`"
    return f"the override `{touching[-1].input_line}`" if touching else "the configuration"


def _unusable(override: Override, menu: Menu, base: DictConfig) -> Iterator[MmlmError]:
    """Yield why an override cannot be applied to what the choices compose."""
    key, text = override.key_or_group, override.input_line
    node: Any = base
    parts = key.split(".")
    for index, part in enumerate(parts):
        if not isinstance(node, DictConfig):
            path = ".".join(parts[:index])
            yield UnknownChoiceError(f"`{text}`: `{path}` is a value and has no options of its own.")
            return
        if part not in node:
            if not (override.is_add() or override.is_force_add()) and node._get_flag("struct") is not False:
                yield UnknownChoiceError(f"`{text}`: {_no_option(key, parts[: index + 1], menu, base)}")
            return
        node = node._get_node(part)
        node = node._value() if node is not None and not isinstance(node, DictConfig) else node
    if override.is_add() and not isinstance(override.value(), dict | list):
        yield OptionError(f"`{text}`: `{key}` is there already: write `{str(text).removeprefix('+')}`.")
    elif override.is_delete() and override.value() is not None and override.value() != node:
        yield OptionError(f"`{text}`: the value is `{node}`, so this deletes nothing.")


def _no_option(key: str, parts: list[str], menu: Menu, base: DictConfig) -> str:
    """Return why there is no option at a path, with the choices that have one."""
    group = next((group for group in menu.groups if f"{key}.".startswith(f"{group.replace('/', '.')}.")), None)
    if group is None:
        names = [other for other in menu.groups if other.startswith(f"{parts[0]}/")]
        slot = key.replace(".", "/", 1).partition(".")[0]
        return f"`{slot}` is no group.{did_you_mean(slot, names)}{one_of(names)}"
    name = str(base.hydra.runtime.choices.get(group) or OPEN)
    if name == OPEN or leaves_out(group, name):
        return f"`{group}` is not chosen; choose it first, as `{group}=CHOICE`.{menu.listed(group)}"
    schema = menu.schema(group, name)
    known = list(option_types(schema)) if schema else []
    option = parts[-1]
    prefix = group.replace("/", ".")
    if ".".join(parts[:-1]) != prefix:
        return f"`{key}` is no option of `{group}={name}`."
    if group in Settings.groups():
        options = one_of(known).replace(" Choices", " Options")
        return f"`{option}` is no option of `{group}`.{did_you_mean(option, known)}{options}"
    others = [other for other in menu.registry.names(kind_of(group))
              if option in option_types(menu.registry.get(kind_of(group), other).options)]  # fmt: skip
    elsewhere = f" It is one of {', '.join(f'`{group}={other}`' for other in others)}." if others else ""
    options = one_of(known).replace(" Choices", " Options") if known else " It has no options."
    giver = menu.choices(group).get(name, "?")
    return f"`{option}` is no option of `{group}={name}` ({giver}).{did_you_mean(option, known)}{elsewhere}{options}"


def _broken_presets(error: Exception, menu: Menu, overrides: Sequence[Override]) -> Iterator[MmlmError]:
    """Yield what is wrong with the files that the overrides choose."""
    choices = {override.key_or_group: str(override.value()) for override in overrides
               if override.key_or_group in menu.groups and not override.is_sweep_override()}  # fmt: skip
    for preset in _chosen_presets(menu, choices):
        if preset.bases:
            cause = error.__cause__ or error.__context__ or error
            yield OptionError(f"`{preset.path}` cannot be composed: {str(cause).splitlines()[0]}")


def _chosen_presets(menu: Menu, choices: Mapping[str, str]) -> list[Preset]:
    """Return the files behind the choices, those that they extend included, the last word first."""
    found: dict[tuple[str, str], Preset] = {}
    if sizes := menu.scale(choices.get(EXPERIMENT, ""), choices.get(SCALE, "")):
        found[sizes.group, sizes.name] = sizes
    waiting = [(EXPERIMENT, choices.get(EXPERIMENT, "")), *choices.items()]
    while waiting:
        group, name = waiting.pop(0)
        preset = menu.preset(group, name)
        if preset and (group, name) not in found:
            found[group, name] = preset
            waiting += preset.bases
    return list(found.values())


def _touches(key: str, path: str) -> bool:
    """Return whether an override of `key` says something about the value at `path`."""
    return f"{path}.".startswith(f"{key}.") or key.startswith(f"{path}.")
