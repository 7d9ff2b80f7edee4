"""`mmlm train --help`: what can be chosen and set; with overrides, the options of what they choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from mmlm_core.cli import say
from mmlm_core.cli.menu import EXPERIMENT, OPEN, SCALE, Menu, Preset
from mmlm_core.cli.train_command import FLAGS
from mmlm_core.composition import kind_of
from mmlm_core.errors import UnknownChoiceError, did_you_mean, one_of
from mmlm_core.options import option_docs, option_types
from mmlm_core.registry import KINDS, leaves_out
from mmlm_core.settings import Settings

__all__ = ["chosen", "option_lines", "train_help", "type_name"]


def train_help(menu: Menu, overrides: Sequence[str] = ()) -> str:
    """Return the help; where overrides choose something, the options of that.

    Raises:
        MmlmError: A group or a choice that there is not.
    """
    groups = {text.lstrip("+").partition("=")[0]: text.partition("=")[2] for text in overrides}
    if not groups:
        return _overview(menu)
    parts = []
    for key, value in groups.items():
        group = next((name for name in menu.groups if f"{key}.".startswith(f"{name.replace('/', '.')}.")), key)
        if group not in menu.groups:
            raise UnknownChoiceError(f"`{group}` is no group.{did_you_mean(group, menu.groups)}{one_of(menu.groups)}")
        if group == key and value:
            menu.check(group, value)
        name = value if group == key and value else chosen(menu, overrides, group)
        parts.append(_scale(menu, groups.get(EXPERIMENT, ""), name) if group == SCALE and name
                     else _options(menu, group, name))  # fmt: skip
    return "\n\n".join(dict.fromkeys(parts))


def chosen(menu: Menu, overrides: Sequence[str], group: str) -> str:
    """Return the choice of a group: the overrides', that of the experiment that they name, or the default."""
    named = {text.partition("=")[0]: text.partition("=")[2] for text in overrides}
    if group in named:
        return named[group]
    bases = (dict(preset.bases).get(group) for preset in reversed(menu.experiments(named.get(EXPERIMENT, ""))))
    return next((name for name in bases if name), menu.defaults.get(group, ""))


def type_name(hint: Any) -> str:
    """Return a type as it is shown beside an option: `int`, `float | null`, `auto | fp32`."""
    inner = get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " | ".join(str(member.value) for member in hint)
    if get_origin(hint) is Literal:
        return " | ".join(str(choice) for choice in inner)
    if hint is type(None):
        return "null"
    if inner and not isinstance(hint, type) and get_origin(hint) not in (list, dict, tuple):
        return " | ".join(type_name(kind) for kind in inner)
    name = getattr(get_origin(hint) or hint, "__name__", str(hint))
    return f"{name}[{', '.join(type_name(kind) for kind in inner)}]" if inner else {"str": "text"}.get(name, name)


def _overview(menu: Menu) -> str:
    lines = [
        "mmlm train: compose a model, check it and train it.",
        "",
        f"{say.bold('Use:')} mmlm train [GROUP=CHOICE | GROUP.OPTION=VALUE | FLAG] ...",
        "",
        say.bold("Parts") + "  (the default of each is marked *)",
        say.definitions((slot, _choices(menu, slot)) for slot in menu.slots),
        "",
        say.bold("Settings"),
        say.definitions((group, f"{_doc(schema)} {_presets(menu, group)}".strip())
                        for group, schema in Settings.groups().items()),
        "",
        say.bold("Whole compositions"),
        say.definitions([(EXPERIMENT, ", ".join(menu.choices(EXPERIMENT)) or "none is installed"),
                         (SCALE, f"Other sizes of an experiment. {_scales(menu.choices(SCALE))}".strip())]),
        "",
        say.bold("Flags"),
        say.definitions(FLAGS.items()),
        "",
        say.bold("More"),
        "  mmlm train backbone=gru --help    the options of a choice, with their defaults",
        "  mmlm components                   every choice, a line each",
        "  mmlm compat encoder/image=cnn     whether a composition fits, and why not",
    ]  # fmt: skip
    return "\n".join(lines)


def _choices(menu: Menu, slot: str) -> str:
    default = menu.defaults[slot]
    told = ", ".join(f"{name}*" if name == default else name for name in menu.choices(slot))
    if default == OPEN:
        return f"{told}; must be chosen" if told else "no installed plugin gives one"
    return told


def _presets(menu: Menu, group: str) -> str:
    return f"Presets: {', '.join(menu.presets(group))}." if menu.presets(group) else ""


def _scales(names: Iterable[str]) -> str:
    told = ", ".join(names)
    return f"Scales: {told}." if told else ""


def _scale(menu: Menu, experiment: str, name: str) -> str:
    """Return what a scale sets on an experiment, or which experiments have it."""
    preset = menu.scale(experiment, name)
    if preset is None:
        return f"{say.bold(f'{SCALE}={name}')}: other sizes of an experiment.{menu.having(name)}"
    return "\n".join([say.bold(preset.typed) + f"  ({preset.giver})", say.wrapped(preset.doc, "  "), *_text(preset)])


def _text(preset: Preset) -> list[str]:
    return ["", *(f"  {line}" for line in preset.path.read_text(encoding="utf-8").splitlines())]


def _options(menu: Menu, group: str, name: str) -> str:
    """Return the options of one choice, each with its type, default and doc."""
    if name in (OPEN, "") or leaves_out(group, name):
        kind = KINDS.get(group.partition("/")[0], "")
        return f"{say.bold(group)}: {kind or 'not chosen'}.{menu.listed(group)}"
    preset, schema = menu.preset(group, name), menu.schema(group, name)
    lines = [say.bold(f"{group}={name}") + f"  ({menu.choices(group)[name]})"]
    if preset:
        lines.append(say.wrapped(f"{preset.doc} {_scales(menu.scales(name) if group == EXPERIMENT else ())}", "  "))
    if schema is not None:
        component = menu.component(group, name)
        doc = menu.registry.get(kind_of(group), component).doc if component else _doc(schema)
        lines += [say.wrapped(doc, "  "), ""]
        lines += option_lines(schema, menu.values(group, name), group.replace("/", "."))
    elif preset:
        lines += _text(preset)
    return "\n".join(lines)


def option_lines(schema: type, values: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return a line for each option, with its value, type and doc; options of options have paths."""
    docs, lines = option_docs(schema), []
    for option, hint in option_types(schema).items():
        path, value = f"{prefix}.{option}" if prefix else option, values[option]
        nested = isinstance(hint, type) and is_dataclass(hint)
        lines.append(f"  {path}" if nested else f"  {path}={_shown(value)}  ({type_name(hint)})")
        if docs[option]:
            lines.append(say.wrapped(" ".join(docs[option].split()), "      "))
        if nested:
            lines += option_lines(hint, value, path)
    return lines


def _shown(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else f"{value}" or "''"


def _doc(schema: type) -> str:
    return (schema.__doc__ or "").strip().split("\n")[0]
