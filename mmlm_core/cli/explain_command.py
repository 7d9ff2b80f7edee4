"""`mmlm explain backbone.width experiment=x`: an option's value, who set it, and what it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmlm_core.cli import say
from mmlm_core.cli.arguments import Parser
from mmlm_core.cli.menu import EXPERIMENT, Menu, Preset
from mmlm_core.composition import kind_of
from mmlm_core.errors import OptionError, UnknownChoiceError, did_you_mean, one_of
from mmlm_core.options import option_docs, option_types, plain
from mmlm_core.plugins import load_plugins
from mmlm_core.ranges import option_ranges, range_words
from mmlm_core.settings import Settings

__all__ = ["run"]


@dataclass(frozen=True)
class Composed:
    """What the overrides compose.

    Attributes:
        menu: The choices.
        mapping: The values.
        choices: The choice of each group.
        overrides: Those of options, each with its path.
        experiments: The experiment's file after those that it extends.
        swapped: The slots whose options of the experiment are left out.
    """

    menu: Menu
    mapping: Mapping[str, Any]
    choices: Mapping[str, str]
    overrides: Sequence[tuple[str, str]]
    experiments: Sequence[Preset]
    swapped: Sequence[str]


def run(argv: Sequence[str]) -> None:
    """Run the command.

    Raises:
        MmlmError: Overrides that are wrong, or a path that leads to no option.
    """
    parser = Parser("explain", "Explain an option: its value, who set it, what it is.\n\n"
                    "Examples:\n"
                    "  mmlm explain backbone.width\n"
                    "  mmlm explain backbone.width experiment=emoji_captioning backbone=gru\n"
                    "  mmlm explain encoder.image encoder/image=vit")  # fmt: skip
    parser.add_argument("path", metavar="PATH", help="a part, as `backbone`, or an option of it, as `backbone.width`")
    parser.add_argument("overrides", metavar="OVERRIDE", nargs="*", help="as for `mmlm train`")
    parser.add_argument("--config-dir", "-cd", type=Path, help="a folder of your own YAML files")
    args = parser.read(argv)
    if "=" in args.path:
        raise OptionError(f"`mmlm explain` explains an option first: write `mmlm explain OPTION {args.path}`.")
    composed = _compose(Menu(load_plugins(), args.config_dir), args.overrides)
    path = args.path.replace("/", ".")
    group = max((group for group in composed.menu.groups if f"{path}.".startswith(f"{group.replace('/', '.')}.")),
                key=len, default=None)  # fmt: skip
    if group is None or group == EXPERIMENT:
        names = [group.replace("/", ".") for group in composed.menu.groups if group != EXPERIMENT]
        raise UnknownChoiceError(f"`{args.path}` is no part and no group.{did_you_mean(path, names)}{one_of(names)}")
    inside = path.removeprefix(group.replace("/", ".")).strip(".")
    say.out("\n".join(_option(composed, group, inside) if inside else _part(composed, group)))


def _compose(menu: Menu, overrides: Sequence[str]) -> Composed:
    from mmlm_core.cli import checking, composing, swapping

    with composing.session(menu) as application:
        cfg = composing.compose(application, menu, overrides)
        composing.to_composition(cfg, menu)
        mapping = composing.to_mapping(cfg, lambda path: "the configuration")
        choices = {str(group): str(name) for group, name in cfg.hydra.runtime.choices.items() if name is not None}
    parsed = checking.parse(overrides)
    typed = [(override.key_or_group.replace("/", "."), str(override.input_line)) for override in parsed
             if override.key_or_group not in menu.groups]  # fmt: skip
    experiments = menu.experiments(choices.get(EXPERIMENT, ""))
    return Composed(menu, mapping, choices, typed, experiments, swapping.swapped_slots(menu, experiments, choices))


def _part(composed: Composed, group: str) -> Iterator[str]:
    """Yield what is told of a part: the choice, who made it, and its options."""
    name, path = composed.choices.get(group, ""), group.replace("/", ".")
    schema = composed.menu.schema(group, name)
    yield say.bold(f"{group}={name}") + f"  ({composed.menu.choices(group).get(name, 'not chosen')})"
    component = composed.menu.component(group, name)
    if component:
        yield say.wrapped(composed.menu.registry.get(kind_of(group), component).doc, "  ")
    yield f"  chosen by {_chooser(composed, group)}"
    for option in _leaves(plain(schema())) if schema else ():
        *_, (value, source) = _trail(composed, group, option)
        yield say.wrapped(f"{path}.{option} = {_shown(value)}  ({source})", "  ")


def _option(composed: Composed, group: str, inside: str) -> Iterator[str]:
    """Yield what is told of one option."""
    name, path = composed.choices.get(group, ""), f"{group.replace('/', '.')}.{inside}"
    schema, _, option = _owner(composed, group, inside)
    yield say.bold(f"{path} = {_shown(_at(composed.mapping, path))}")
    yield say.wrapped(option_docs(schema)[option], "  ")
    yield f"  type    {_type(schema, option)}"
    if group not in Settings.groups():
        yield f"  of      {group}={name} ({composed.menu.choices(group)[name]})"
    *before, (_, source) = _trail(composed, group, inside)
    yield say.wrapped(f"set by  {source}", "  ")
    for value, earlier in reversed(before):
        yield say.wrapped(f"over    {_shown(value)}, {earlier}", "  ")
    if group in composed.swapped and any(_has(preset.content, path) for preset in composed.experiments):
        told = f"`{EXPERIMENT}={composed.choices[EXPERIMENT]}`"
        yield say.wrapped(f"not by  {told}, which sets it for another part than `{group}={name}`", "  ")


def _owner(composed: Composed, group: str, inside: str) -> tuple[type, str, str]:
    """Return the dataclass that an option belongs to, the path to it, and its name.

    Raises:
        UnknownChoiceError: There is no such option.
    """
    name = composed.choices.get(group, "")
    schema = composed.menu.schema(group, name)
    *folders, option = inside.split(".")
    for folder in folders:
        inner = option_types(schema).get(folder) if schema else None
        schema = inner if isinstance(inner, type) and hasattr(inner, "__dataclass_fields__") else None
    known = list(option_types(schema)) if schema else []
    if schema is None or option not in known:
        options = one_of(known).replace("Choices", "Options")
        raise UnknownChoiceError(f"`{option}` is no option of `{group}={name}`.{did_you_mean(option, known)}{options}")
    return schema, ".".join(folders), option


def _type(schema: type, option: str) -> str:
    from mmlm_core.cli.train_help import type_name

    bounds = option_ranges(schema).get(option)
    return type_name(option_types(schema)[option]) + (f", {range_words(*bounds)}" if bounds else "")


def _chooser(composed: Composed, group: str) -> str:
    """Return who made a choice."""
    name, meant = composed.choices.get(group, ""), None
    for preset in composed.experiments:
        meant = dict(preset.bases).get(group) or meant
    if meant == name:
        return f"`{EXPERIMENT}={composed.choices[EXPERIMENT]}`"
    return (
        "default" if meant is None and composed.menu.defaults.get(group) == name else f"the override `{group}={name}`"
    )


def _trail(composed: Composed, group: str, inside: str) -> list[tuple[Any, str]]:
    """Return every value that an option was given, with who gave it, the last word last."""
    menu, name, path = composed.menu, composed.choices.get(group, ""), f"{group.replace('/', '.')}.{inside}"
    schema, component = menu.schema(group, name), menu.component(group, name)
    of = f"`{group}={component}`" if component else f"`{group}`"
    trail = [(_at(plain(schema()) if schema else {}, inside), f"the default of {of}")]
    trail += [
        (_at(own, inside), f"the preset `{group}={preset.name}` of {preset.giver}")
        for preset, own in menu.layers(group, name)
        if _has(own, inside)
    ]
    setting = [preset for preset in composed.experiments if _has(preset.content, path)]
    trail += [
        (_at(preset.content, path), f"`{EXPERIMENT}={preset.name}` of {preset.giver}")
        for preset in (setting if group not in composed.swapped else ())
    ]
    value = _at(composed.mapping, path)
    return trail + [
        (value, f"the override `{text}`")
        for key, text in composed.overrides
        if f"{path}.".startswith(f"{key}.") or key.startswith(f"{path}.")
    ]


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the path of each option, those of options that are dataclasses themselves by their own."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _has(node: Any, path: str) -> bool:
    for part in path.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return False
        node = node[part]
    return True


def _at(node: Any, path: str) -> Any:
    for part in path.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _shown(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else f"{value}" or "''"
