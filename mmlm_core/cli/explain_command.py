"""`mmlm explain backbone.width experiment=x`: an option's value, who set it, and what it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any

from mmlm_core.cli import say
from mmlm_core.cli.arguments import Parser
from mmlm_core.cli.menu import EXPERIMENT, SCALE, Menu, Preset
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
        experiments: The experiment's file after those that it extends, and last its scale's.
        swapped: The slots whose options of the experiment are left out.
        named: The groups of settings of which a preset is named, which holds over the experiment.
    """

    menu: Menu
    mapping: Mapping[str, Any]
    choices: Mapping[str, str]
    overrides: Sequence[tuple[str, str]]
    experiments: Sequence[Preset]
    swapped: Sequence[str]
    named: Sequence[str]


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
    path = args.path.replace("/", ".").strip(".")
    group = max((group for group in composed.menu.groups if f"{path}.".startswith(f"{group.replace('/', '.')}.")),
                key=len, default=None)  # fmt: skip
    if group in (EXPERIMENT, SCALE):
        raise OptionError(f"`{group}` sets parts and has no options of its own: explain one of those, as "
                          f"`mmlm explain backbone {EXPERIMENT}=NAME`.")  # fmt: skip
    if group is None:
        raise UnknownChoiceError(f"`{args.path}` is no part and no group.{_nearest(composed, path)}")
    inside = path.removeprefix(group.replace("/", ".")).strip(".")
    lines = _part(composed, group) if inside in ("", "name") else _option(composed, group, inside)
    say.out("\n".join(lines))


def _nearest(composed: Composed, path: str) -> str:
    """Return which parts have an option of a name, or which part's name is near, and which there are."""
    names = [group.replace("/", ".") for group in composed.menu.groups if group not in (EXPERIMENT, SCALE)]
    having = [f"{name}.{path}" for name in names if _has(composed.mapping, f"{name}.{path}")]
    meant = f" Did you mean {', '.join(f'`{name}`' for name in having)}?" if path and having else ""
    return f"{meant or did_you_mean(path, names)}{one_of(names)}"


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
    experiments = menu.experiments(choices.get(EXPERIMENT, ""), choices.get(SCALE, ""))
    swapped, named = swapping.swapped_slots(menu, experiments, choices), swapping.named_presets(parsed)
    return Composed(menu, mapping, choices, typed, experiments, swapped, named)


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
    schema, option = _owner(composed, group, inside)
    yield say.bold(f"{path} = {_shown(_at(composed.mapping, path))}")
    yield say.wrapped(" ".join(option_docs(schema)[option].split()), "  ")
    yield f"  type    {_type(schema, option)}"
    if group not in Settings.groups():
        yield f"  of      {group}={name} ({composed.menu.choices(group)[name]})"
    *before, (_, source) = _trail(composed, group, inside)
    yield say.wrapped(f"set by  {source}", "  ")
    for value, earlier in reversed(before):
        yield say.wrapped(f"over    {_shown(value)}, {earlier}", "  ")
    setting = [preset for preset in composed.experiments if _has(preset.content, path)]
    if group in composed.swapped and setting:
        yield say.wrapped(f"not by  `{setting[-1].typed}`, which sets it for another part than `{group}={name}`", "  ")


def _owner(composed: Composed, group: str, inside: str) -> tuple[type, str]:
    """Return the dataclass that an option belongs to, and its name; what a mapping holds belongs to the mapping.

    Raises:
        UnknownChoiceError: There is no such option.
    """
    name = composed.choices.get(group, "")
    schema, path = composed.menu.schema(group, name), group.replace("/", ".")
    if schema is None:
        raise UnknownChoiceError(f"`{group}` is not chosen; choose it first, as `{group}=CHOICE`."
                                 f"{composed.menu.listed(group)}")  # fmt: skip
    of = f"`{group}`" if group in Settings.groups() else f"`{group}={name}`"
    for option in inside.split("."):
        known = option_types(schema)
        if option not in known:
            options = one_of(list(known)).replace("Choices", "Options") if known else " It has no options."
            raise UnknownChoiceError(f"`{option}` is no option of {of}.{did_you_mean(option, known)}{options}")
        path, of = f"{path}.{option}", f"`{path}.{option}`"
        inner = known[option]
        if not (isinstance(inner, type) and is_dataclass(inner)):
            break
        owner, schema = schema, inner
    else:
        return owner, option
    whole = f"{group.replace('/', '.')}.{inside}"
    if path != whole and not isinstance(_at(composed.mapping, path), Mapping):
        raise UnknownChoiceError(f"`{path}` is a value and has no options of its own.")
    if path != whole and not _has(composed.mapping, whole):
        raise UnknownChoiceError(f"`{path}` has no `{whole.removeprefix(f'{path}.')}`.")
    return schema, option


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
    default = (_at(plain(schema()) if schema else {}, inside), f"the default of {of}")
    presets = [
        (_at(own, inside), f"the preset `{group}={preset.name}` of {preset.giver}")
        for preset, own in menu.layers(group, name)
        if _has(own, inside)
    ]
    setting = [preset for preset in composed.experiments if _has(preset.content, path)]
    experiments = [
        (_at(preset.content, path), f"`{preset.typed}` of {preset.giver}")
        for preset in (setting if group not in composed.swapped else ())
    ]
    trail = [default, *experiments, *presets] if group in composed.named else [default, *presets, *experiments]
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
    """Return a value as the command line takes it."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_shown(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else f"{value}" or "''"
