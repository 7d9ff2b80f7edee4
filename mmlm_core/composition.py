"""A composition: which component fills each slot, with its options, and the settings. Imports no torch and no Hydra.

A *slot* is a place of the composition: `tokenizer`, `encoder/image`, `projection/image`, `fusion`, `backbone`, `head`,
`data`, `optimizer`, `schedule`. A slot has a kind; `projection/<modality>` has the kind `projection`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from mmlm_core.errors import (
    MmlmError,
    OptionError,
    RunError,
    UnknownChoiceError,
    did_you_mean,
    gather,
    one_of,
)
from mmlm_core.options import Source, option_docs, plain, said, typed
from mmlm_core.registry import NONE, Component, Registry, Traits
from mmlm_core.settings import Settings

if TYPE_CHECKING:
    from omegaconf import DictConfig

__all__ = ["CHANGEABLE", "Choice", "Composition", "kind_of", "option_docs", "override", "refuse_unsafe", "slots",
           "typed", "typed_node"]  # fmt: skip

CHANGEABLE = ("data", "loader", "trainer", "decoding", "tracker", "run")
"""The groups whose options may differ from those that a run was trained with."""

_WORDS = {"null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d*)")
_NUMBER = re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?")

SINGLE_SLOTS = ("tokenizer", "fusion", "backbone", "head", "data", "optimizer", "schedule")


def kind_of(slot: str) -> str:
    """Return the kind of the components that fill a slot."""
    return "projection" if slot.startswith("projection/") else slot


def slots(registry: Registry) -> list[str]:
    """Return every slot of a composition over this registry, in the order in which a model is read."""
    modalities = registry.modalities()
    return [
        "data",
        "tokenizer",
        *(f"encoder/{modality}" for modality in modalities),
        *(f"projection/{modality}" for modality in modalities),
        "fusion",
        "backbone",
        "head",
        "optimizer",
        "schedule",
    ]


@dataclass(frozen=True)
class Choice:
    """A slot that is filled: the component, and its options."""

    slot: str
    component: Component
    options: Any

    @property
    def traits(self) -> Traits:
        """What the component provides and needs, as it is set."""
        return self.component.traits_for(self.options)


@dataclass
class Composition:
    """Choices by slot, and the settings."""

    choices: dict[str, Choice]
    settings: Settings = field(default_factory=Settings)

    def __getitem__(self, slot: str) -> Choice:
        """Return the choice of a slot that must be filled.

        Raises:
            UnknownChoiceError: It is not.
        """
        if slot not in self.choices:
            raise UnknownChoiceError(f"`{slot}` is not chosen.{did_you_mean(slot, self.choices)}")
        return self.choices[slot]

    def modalities(self) -> list[str]:
        """Return the modalities that are read, sorted."""
        return sorted(slot.partition("/")[2] for slot in self.choices if slot.startswith("encoder/"))

    def of_kind(self, kind: str) -> Iterator[Choice]:
        """Iterate over the choices whose slot is `kind` or lies under it (`encoder`: every modality's encoder)."""
        return (choice for slot, choice in self.choices.items() if slot == kind or slot.startswith(f"{kind}/"))

    def to_mapping(self) -> dict[str, Any]:
        """Return the composition as plain values, which `from_mapping` reads again."""
        mapping: dict[str, Any] = {}
        for slot, choice in self.choices.items():
            node = mapping
            *folders, last = slot.split("/")
            for folder in folders:
                node = node.setdefault(folder, {})
            node[last] = {"name": choice.component.name, **plain(choice.options)}
        for group in fields(self.settings):
            mapping[group.name] = plain(getattr(self.settings, group.name))
        return mapping

    @staticmethod
    def from_mapping(
        registry: Registry, mapping: Mapping[str, Any], source: Source = "the configuration"
    ) -> Composition:
        """Build the composition that a mapping describes: `{"backbone": {"name": "gru", "width": 64}, ...}`.

        A modality whose encoder is `none` or absent is left out, with its projection.

        Args:
            registry: The components.
            mapping: Slots by group, each with `name` and options; and the groups of `Settings`.
            source: Where the mapping comes from, for messages.

        Raises:
            MmlmError: Every unknown group, choice or option, and every value of the wrong type or out of range.
        """
        problems: list[MmlmError] = []
        given = _filled_slots(mapping, slots(registry), source, problems)
        choices, groups = {}, {}
        for slot in slots(registry):
            unread = slot.startswith("projection/") and f"encoder/{slot.partition('/')[2]}" not in given
            if slot in given and not unread:
                try:
                    choices[slot] = _choice(registry, slot, given[slot], source)
                except MmlmError as error:
                    problems.append(error)
        for name, schema in Settings.groups().items():
            try:
                groups[name] = typed(schema, _mapping(mapping.get(name) or {}, name, source), name, source)
            except MmlmError as error:
                problems.append(error)
        if problems:
            raise gather(problems)
        return Composition(choices, Settings(**groups))


def override(
    mapping: Mapping[str, Any], registry: Registry, overrides: Sequence[str], source: str = "the run"
) -> Composition:
    """Return the composition of a run with some values set anew: `decoding.beams=4`, `data=table`, `data.path=x.csv`.

    A choice (`data=table`) starts from its component's defaults; the values that follow it are set on those.

    Args:
        mapping: The run's composition, as `Composition.to_mapping` gives it; it is not changed.
        registry: The components.
        overrides: Each `group=choice` or `group.option=value`; values are read as Hydra reads them.
        source: The run, for messages.

    Raises:
        MmlmError: Everything that is wrong with the overrides, each with the override as it was given.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(mapping))
    problems: list[MmlmError] = []
    set_by: dict[str, str] = {}
    for text in overrides:
        try:
            set_by[_set(changed, text)] = text
        except MmlmError as error:
            problems.append(error)
    if problems:
        raise gather(problems)

    def origin(path: str) -> str:
        texts = [text for key, text in set_by.items() if f"{path}.".startswith(f"{key}.") or key.startswith(f"{path}.")]
        return f"the override {' '.join(f'`{text}`' for text in texts)}" if texts else source

    return Composition.from_mapping(registry, changed, origin)


def _set(mapping: dict[str, Any], text: str) -> str:
    """Set what one override says, and return its path."""
    key, equals, value = text.partition("=")
    path = key.strip().split(".")
    if not equals or not all(path):
        raise OptionError(f"The override `{text}` must read `group.option=value`.")
    if path[0] not in CHANGEABLE:
        known = path[0].partition("/")[0] in (*SINGLE_SLOTS, "encoder", "projection")
        told = "belongs to the trained model and cannot be changed" if known else "is no group"
        near = "" if known else did_you_mean(path[0], CHANGEABLE)
        raise UnknownChoiceError(f"`{path[0]}` of the override `{text}` {told}.{near}{one_of(CHANGEABLE)}")
    if len(path) == 1:
        if path[0] not in SINGLE_SLOTS:
            raise OptionError(f"The override `{text}` must name an option, as `{path[0]}.OPTION={value}`.")
        mapping[path[0]] = {"name": value}
        return path[0]
    node = mapping
    for part in path[:-1]:
        if not isinstance(node.get(part), dict):
            node[part] = {}
        node = node[part]
    node[path[-1]] = _read(value)
    return ".".join(path)


def _read(text: str) -> Any:
    """Return a value of the command line as Hydra reads it: YAML's `off` or `12:30` are text here."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    if not text.startswith(("[", "{")):
        return text
    import yaml  # type: ignore[import-untyped]

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise OptionError(f"The value `{text}` of an override cannot be read as a list or a mapping.") from error


def typed_node(schema: type) -> DictConfig:
    """Return an options dataclass as a typed OmegaConf node, which checks the values that are merged into it."""
    from omegaconf import OmegaConf

    return OmegaConf.structured(schema)  # type: ignore[no-any-return]


def _choice(registry: Registry, slot: str, node: Any, source: Source) -> Choice:
    """Return the choice that a filled node describes."""
    kind = kind_of(slot)
    name = _mapping(node, slot, source).get("name")
    if not isinstance(name, str):
        raise UnknownChoiceError(f"`{slot}` of {said(source, _path(slot))} must say its `name`, one of the choices."
                                 f"{one_of(registry.names(kind))}")  # fmt: skip
    component = registry.get(kind, name)
    values = {key: value for key, value in node.items() if key != "name"}
    return Choice(slot, component, typed(component.options, values, _path(slot), source))


def _filled_slots(
    mapping: Mapping[str, Any], known: list[str], source: Source, problems: list[MmlmError]
) -> dict[str, Any]:
    """Return the node of each slot that the mapping fills; note the groups that are no slot and no settings."""
    filled: dict[str, Any] = {}
    groups = {slot.partition("/")[0] for slot in known} | {"encoder", "projection"}
    for group, node in mapping.items():
        if group in SINGLE_SLOTS:
            filled[group] = node
        elif group in groups:
            try:
                modalities = _mapping(node or {}, group, source)
            except MmlmError as error:
                problems.append(error)
            else:
                filled.update({f"{group}/{modality}": choice for modality, choice in modalities.items()})
        elif group not in Settings.groups():
            names = sorted(groups | set(Settings.groups()))
            told = f"`{group}` of {said(source, group)} is no group."
            problems.append(UnknownChoiceError(f"{told}{did_you_mean(group, names)}{one_of(names)}"))
    filled = {slot: node for slot, node in filled.items() if _is_filled(node)}
    for slot in sorted(set(filled) - set(known)):
        unread = slot.startswith("projection/") and f"encoder/{slot.partition('/')[2]}" not in filled
        if not unread:
            told = f"`{slot}` of {said(source, _path(slot))} is no slot: no installed plugin gives it."
            problems.append(UnknownChoiceError(f"{told}{did_you_mean(slot, known)}{one_of(known)}"))
    return filled


def _mapping(node: Any, where: str, source: Source) -> Mapping[str, Any]:
    if not isinstance(node, Mapping):
        raise OptionError(f"`{where}` of {said(source, _path(where))} must be a mapping of options, not `{node}`.")
    return node


def _path(slot: str) -> str:
    """Return the path of a slot's options in the mapping."""
    return slot.replace("/", ".")


def _is_filled(node: Any) -> bool:
    return node not in (None, {}, {"name": None}, {"name": NONE})


def refuse_unsafe(mapping: Any, source: str) -> None:
    """Refuse a configuration that could run code or read the environment: `_target_` keys and `${` values.

    Raises:
        RunError: It has one; the message gives its path.
    """
    for path, value in _leaves(mapping, ""):
        if path.rpartition(".")[2] == "_target_" or (isinstance(value, str) and "${" in value):
            raise RunError(f"`{path}` of {source} is `{value}`: a run's configuration holds plain values only, "
                           "so that loading it runs no code.")  # fmt: skip


def _leaves(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            inner = f"{path}.{key}" if path else str(key)
            if key == "_target_":  # whatever it holds
                yield inner, value
            yield from _leaves(value, inner)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _leaves(value, f"{path}[{index}]")
    else:
        yield path, node
