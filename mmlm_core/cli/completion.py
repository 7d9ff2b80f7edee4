"""Completion in bash: commands, groups, choices, options and their values. Imports neither Hydra nor torch."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mmlm_core.cli.main import COMMANDS
from mmlm_core.cli.menu import EXPERIMENT, SCALE, Menu
from mmlm_core.errors import UnknownChoiceError, one_of
from mmlm_core.options import option_types, value_words
from mmlm_core.overriding import CHANGEABLE
from mmlm_core.registry import KINDS

__all__ = ["candidates", "run"]

# Words are cut at `=` and `:` by readline, so what the program answers is cut in the same way. A candidate that goes on
# (`backbone=`, `backbone.`) gets no space behind it; where there is none, readline completes files.
SCRIPT = r"""
_mmlm_complete() {
    local IFS=$'\n'
    COMPREPLY=($(COMP_LINE="$COMP_LINE" COMP_POINT="$COMP_POINT" COMP_WORDBREAKS="$COMP_WORDBREAKS" \
                 "${COMP_WORDS[0]}" --complete 2>/dev/null))
    case "${COMPREPLY[0]}" in *[=.,]) compopt -o nospace ;; esac
}
complete -o default -F _mmlm_complete mmlm
""".lstrip()

_FLAGS = {
    "": ("--help", "--version", "--completion"),
    "train": ("--multirun", "--resume", "--cfg", "--package", "--resolve", "--info", "--config-dir", "--help"),
    "eval": ("--split", "--json", "--help"),
    "predict": ("--table", "--column", "--text", "--prompt", "--out", "--help"),
    "generate": ("--table", "--column", "--text", "--prompt", "--out", "--help"),
    "data": ("--split", "--json", "--rows", "--out", "--config-dir", "--help"),
    "components": ("--help",),
    "plugins": ("--help",),
    "plugin": ("--kind", "--folder", "--help"),
    "compat": ("--matrix", "--config-dir", "--help"),
    "explain": ("--config-dir", "--help"),
    "doctor": ("--help",),
}


def run(command: str, argv: Sequence[str]) -> None:
    """Print the script, or, as the script asks for, the candidates of the line that is being typed.

    Raises:
        UnknownChoiceError: Another shell than bash.
    """
    if command == "--completion":
        if list(argv) != ["bash"]:
            given = " ".join(argv)
            raise UnknownChoiceError(f"`--completion {given}`: there is completion for one shell.{one_of(['bash'])}")
        sys.stdout.write(SCRIPT)
        return
    line = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT", "0") or 0)]
    breaks = os.environ.get("COMP_WORDBREAKS", "=:")
    words = _words(line)
    cut = max((words[-1].rfind(sign) for sign in breaks if sign in "=:"), default=-1) + 1
    for word in candidates(words, _menu):
        sys.stdout.write(f"{word[cut:]}\n")


def candidates(words: Sequence[str], menu: Callable[[], Menu]) -> list[str]:
    """Return what the last word can become.

    Args:
        words: The words of the line, `mmlm` first; the last is what is typed of the word at the cursor, maybe nothing.
        menu: Gives the menu; called only where it is needed.
    """
    word = words[-1]
    if len(words) <= 2:
        return _starting(word, (*COMMANDS, *_FLAGS[""]))
    command = words[1]
    if word.startswith("-"):
        return _starting(word, _FLAGS.get(command, ()))
    if words[-2] == "--cfg":
        return _starting(word, ("job", "hydra", "all"))
    if words[-2] in ("--resume", "--config-dir", "--table", "--out", "--text", "--prompt", "--folder"):
        return []
    if words[-2] == "--kind":
        return _starting(word, sorted({*KINDS, *menu().registry.kinds()} - {"encoder"}))
    if command == "plugin":
        return _starting(word, ("new",)) if len(words) == 3 else []
    if command == "plugins":
        names = [plugin.name for plugin in menu().plugins.found] if len(words) > 3 else ["check"]
        return _starting(word, names)
    if command == "data" and len(words) == 3:
        return _starting(word, ("check", "preview"))
    if command == "compat" and "=" not in word and "." not in word:
        kinds = _starting(word, menu().slots)
        return sorted({*kinds, *_overrides(word, words[2:-1], menu())})
    if command in ("train", "compat", "explain", "data"):
        return _overrides(word, words[2:-1], menu())
    if command == "components":
        registry = menu().registry
        if words[2] == "show" and len(words) > 3:
            return _starting(word, (f"{component.kind}/{component.name}" for component in registry))
        return _starting(word, ("show", *registry.kinds()))
    if command in ("eval", "predict", "generate") and len(words) > 3 and ("." in word or "=" in word):
        return [
            found for found in _overrides(word, [], menu()) if found.partition("=")[0].partition(".")[0] in CHANGEABLE
        ]
    return []


def _menu() -> Menu:
    from mmlm_core.plugins import load_plugins

    return Menu(load_plugins())


def _words(line: str) -> list[str]:
    """Return the words of a line that is being typed; an open quote ends with it."""
    for end in ("", '"', "'"):
        try:
            words = shlex.split(line + end)
        except ValueError:
            continue
        return [*words, ""] if not end and (not line or line[-1].isspace()) else words or [""]
    return line.split(" ")


def _overrides(word: str, others: Sequence[str], menu: Menu) -> list[str]:
    """Return what an override can become: a group, a choice of it, an option of what is chosen, or its value."""
    from mmlm_core.cli.train_help import chosen

    signs = word[: len(word) - len(word.lstrip("+~"))]
    key, equals, value = word[len(signs) :].partition("=")
    if equals and key in menu.groups:
        done, comma, last = value.rpartition(",")
        return [f"{signs}{key}={done}{comma}{name}" for name in _starting(last, _names(menu, key, others))]
    group = next((name for name in menu.groups if key.startswith(f"{name.replace('/', '.')}.")), None)
    if group is not None:
        prefix = f"{group.replace('/', '.')}."
        types = _types(menu.schema(group, chosen(menu, others, group)), prefix)
        if equals:
            return [f"{signs}{key}={name}" for name in _starting(value, value_words(types.get(key)))]
        return [f"{signs}{path}=" for path in _starting(key, types)]
    if equals:
        return []
    found = [f"{signs}{name}=" for name in _starting(key, menu.groups)]
    dotted = [
        f"{signs}{name.replace('/', '.')}." for name in menu.groups
        if menu.choices(name) and name not in (EXPERIMENT, SCALE)
    ]  # fmt: skip
    return found + ([name for name in dotted if name.startswith(word)] if "." in key or len(found) == 1 else [])


def _names(menu: Menu, group: str, others: Sequence[str]) -> Iterable[str]:
    """Return the choices of a group; of a scale, those of the experiment that stands in the line."""
    experiments = [text.partition("=")[2] for text in others if text.startswith(f"{EXPERIMENT}=")]
    return menu.scales(experiments[-1]) if group == SCALE and experiments else menu.choices(group)


def _types(schema: type | None, prefix: str) -> dict[str, Any]:
    """Return the types of all options below a schema, by path."""
    types: dict[str, Any] = {}
    for option, hint in option_types(schema).items() if schema else ():
        nested = _types(hint, f"{prefix}{option}.") if hasattr(hint, "__dataclass_fields__") else None
        types.update(nested or {f"{prefix}{option}": hint})
    return types


def _starting(word: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(word)]
