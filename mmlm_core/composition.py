"""A composition: which component fills each slot, with its options, and the settings. Imports no torch and no Hydra.

A *slot* is a place of the composition: `tokenizer`, `encoder/image`, `projection/image`, `fusion`, `backbone`, `head`,
`data`, `optimizer`, `schedule`. A slot has a kind; `projection/<modality>` has the kind `projection`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from mmlm_core.errors import MmlmError, OptionError, UnknownChoiceError, did_you_mean, gather, one_of
from mmlm_core.options import Source, plain, said, typed
from mmlm_core.registry import NONE, Component, Registry, Traits, leaves_out
from mmlm_core.settings import Settings

__all__ = ["SINGLE_SLOTS", "Choice", "Composition", "kind_of", "slots"]

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

    @cached_property
    def traits(self) -> Traits:
        """What the component provides and needs, as it is set; asked once, since options do not change."""
        return self.component.traits_for(self.options)

    def make(self, **wired: Any) -> Any:
        """Return the component, built with its options and what is wired to it; its class is imported here."""
        return self.component.load()(self.options, **wired)


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

    def suffixes(self) -> dict[str, str]:
        """Return the modality that each ending of a file stands for, as the chosen encoders declare them."""
        encoders = list(self.of_kind("encoder"))
        return {suffix: each.slot.partition("/")[2] for each in encoders for suffix in each.component.suffixes}

    @property
    def uses_tokenizer(self) -> bool:
        """Whether any part reads or writes tokens."""
        return any(choice.traits.uses_tokenizer for choice in self.choices.values())

    @property
    def special_tokens(self) -> tuple[str, ...]:
        """The special tokens that parts ask for beside the tokenizer's own, each once, in the order of the slots."""
        return tuple(dict.fromkeys(name for choice in self.choices.values() for name in choice.traits.special_tokens))

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


def _choice(registry: Registry, slot: str, node: Any, source: Source) -> Choice:
    """Return the choice that a filled node describes."""
    kind = kind_of(slot)
    name = _mapping(node, slot, source).get("name")
    if not isinstance(name, str):
        raise UnknownChoiceError(f"`{slot}` of {said(source, _path(slot))} must say its `name`, one of the choices."
                                 f"{one_of(registry.names(kind))}")  # fmt: skip
    try:
        component = registry.get(kind, name)
    except MmlmError as error:
        raise type(error)(f"`{slot}` of {said(source, _path(slot))}: {error}") from error
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
    filled = {slot: node for slot, node in filled.items() if _is_filled(slot, node)}
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


def _is_filled(slot: str, node: Any) -> bool:
    return node not in (None, {}, {"name": None}) and not (node == {"name": NONE} and leaves_out(kind_of(slot), NONE))
