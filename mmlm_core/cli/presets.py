"""Presets on the command lines that Hydra does not read: `mmlm generate RUN decoding=beams`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mmlm_core.cli.menu import Menu
from mmlm_core.errors import MmlmError
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
    """Return what a choice sets: the whole of a group of settings; or a component, and its options."""
    try:
        menu.check(group, name)
    except MmlmError as error:
        raise type(error)(f"`{group}={name}`: {error}") from error
    lines = [
        f"{group}.{key}={json.dumps(value, ensure_ascii=False)}" for key, value in menu.values(group, name).items()
    ]
    if group in Settings.groups():
        return lines
    component = menu.component(group, name)
    return [f"{group}={component}", *(lines if name != component else [])]
