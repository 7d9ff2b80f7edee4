"""Presets on the command lines that Hydra does not read: `mmlm generate RUN decoding=beams`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mmlm_core.cli.menu import DEFAULT, Menu
from mmlm_core.options import plain
from mmlm_core.overriding import CHANGEABLE
from mmlm_core.plugins import load_plugins
from mmlm_core.settings import Settings

__all__ = ["spelled_out"]


def spelled_out(overrides: Sequence[str]) -> list[str]:
    """Return the overrides with each preset in the words of its values: `decoding=beams` as `decoding.beams=4`, ...

    Raises:
        MmlmError: Nobody gives a preset of that name, or its file cannot be used.
    """
    if not any(_is_choice(text) for text in overrides):
        return list(overrides)
    menu, told = Menu(load_plugins()), []
    for text in overrides:
        group, _, name = text.partition("=")
        told += _values(menu, group, name) if _is_choice(text) else [text]
    return told


def _is_choice(text: str) -> bool:
    group, equals, _ = text.partition("=")
    return bool(equals) and group in CHANGEABLE


def _values(menu: Menu, group: str, name: str) -> list[str]:
    """Return what a choice sets: the whole of a group of settings, or a component and the preset's changes of it."""
    menu.check(group, name)
    values = _merged(menu, group, name)
    if group in Settings.groups():
        return _lines(group, {**plain(Settings.groups()[group]()), **values})
    return [f"{group}={menu.component(group, name) or name}", *_lines(group, values)]


def _merged(menu: Menu, group: str, name: str) -> dict[str, Any]:
    """Return the values of a preset over those of the presets that it extends."""
    preset = menu.preset(group, name)
    if preset is None:
        return {}
    merged: dict[str, Any] = {}
    for base in (base for other, base in preset.bases if other == group and base not in (name, DEFAULT)):
        merged |= _merged(menu, group, base)
    return {**merged, **{key: value for key, value in preset.content.items() if key != "defaults"}}


def _lines(group: str, values: Mapping[str, Any]) -> list[str]:
    return [f"{group}.{key}={json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
