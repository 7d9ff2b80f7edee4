"""Sets some values of a composition anew, as `mmlm eval RUN decoding.beams=4` does. Imports no Hydra."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mmlm_core.composition import SINGLE_SLOTS, Composition
from mmlm_core.errors import MmlmError, OptionError, UnknownChoiceError, did_you_mean, gather, one_of
from mmlm_core.registry import Registry

__all__ = ["CHANGEABLE", "override"]

CHANGEABLE = ("data", "loader", "trainer", "decoding", "tracker", "run")
"""The groups whose options may differ from those that a run was trained with."""

_WORDS = {"null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d*)")
_NUMBER = re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?")


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
        return _leaves(yaml.load(text, yaml.BaseLoader))  # whose values are all texts
    except yaml.YAMLError as error:
        raise OptionError(f"The value `{text}` of an override cannot be read as a list or a mapping.") from error


def _leaves(node: Any) -> Any:
    """Return a list or a mapping with its values read; `{a:b}` is a mapping for Hydra, and one key for YAML."""
    if isinstance(node, list):
        return [_leaves(item) for item in node]
    if isinstance(node, dict):
        pairs = (key.split(":", 1) if item == "" and ":" in key else (key, item) for key, item in node.items())
        return {key: _leaves(item) for key, item in pairs}
    return _read(node)
