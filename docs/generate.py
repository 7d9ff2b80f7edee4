"""Writes the reference pages out of the registry, the command line and the presets; nobody writes them by hand.

`python docs/generate.py` writes them into `docs/reference/`, which git ignores; `make docs` does so before it builds.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stdout, suppress
from dataclasses import is_dataclass
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from mmlm_core.cli.main import COMMANDS, main
from mmlm_core.cli.menu import EXPERIMENT, SCALE, Menu, Preset
from mmlm_core.cli.train_help import type_name
from mmlm_core.composition import kind_of
from mmlm_core.options import option_docs, option_types, plain
from mmlm_core.plugins import load_plugins
from mmlm_core.ranges import option_ranges, range_words
from mmlm_core.registry import KINDS, Component, Traits
from mmlm_core.settings import Settings

__all__ = ["pages", "write"]

FOLDER = Path(__file__).parent / "reference"

API = {
    "mmlm_core": ("The public face", ["mmlm_core", "mmlm_core.build.build", "mmlm_core.training"]),
    "interfaces": ("Interfaces", ["mmlm_core.interfaces"]),
    "types": ("What flows between the boxes", ["mmlm_core.types"]),
    "prediction": ("Prediction", ["mmlm_core.prediction"]),
    "testing": (
        "Testing",
        [
            "mmlm_core.testing.contracts",
            "mmlm_core.testing.contracts.common.ComponentContract",
            *(f"mmlm_core.testing.contracts.{kind}" for kind in KINDS),
        ],
    ),
    "errors": ("Errors", ["mmlm_core.errors"]),
    "attention": ("Attention", ["mmlm_core.attention"]),
    "ranges": ("Ranges of options", ["mmlm_core.ranges"]),
}
"""The public modules, by page: its title, and what stands on it."""


def write(folder: Path = FOLDER) -> list[Path]:
    """Write every page anew, and return their paths.

    Args:
        folder: Where; what lies there is removed first.
    """
    shutil.rmtree(folder, ignore_errors=True)
    written = []
    for name, text in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def pages() -> dict[str, str]:
    """Return the text of each page by its path under the folder."""
    menu = Menu(load_plugins())
    made = {"commands.md": commands()}
    made |= {f"components/{kind}.md": components(menu, kind) for kind in KINDS}
    made |= {"settings.md": settings(menu), "presets.md": presets(menu)}
    made |= {f"api/{name}.md": api(title, objects) for name, (title, objects) in API.items()}
    return made


def commands() -> str:
    """Return the page of the commands: the help of each, as it prints it."""
    parts = ["# Commands", "What `mmlm` and each of its commands say of themselves.", "## mmlm", block(help_of())]
    for name, doc in COMMANDS.items():
        parts += [f"## mmlm {name}", sentence(doc), block(help_of(name))]
        for further in subcommands(name):
            parts += [f"### mmlm {name} {further}", block(help_of(name, further))]
    return page(parts)


def help_of(*command: str) -> str:
    """Return what a command prints for `--help`, in a terminal of 88 columns."""
    printed, before = io.StringIO(), dict(os.environ)
    os.environ |= {"COLUMNS": "88", "NO_COLOR": "1"}
    try:
        with redirect_stdout(printed), suppress(SystemExit):
            main([*command, "--help"])
    finally:
        os.environ.clear()
        os.environ.update(before)
    return printed.getvalue()


def subcommands(command: str) -> list[str]:
    """Return the commands that a command has of its own."""
    return list(getattr(import_module(f"mmlm_core.cli.{command}_command"), "COMMANDS", ()))


def components(menu: Menu, kind: str) -> str:
    """Return the page of one kind: each component with what it provides and needs, and its options."""
    found = [component for component in menu.registry if component.kind.partition("/")[0] == kind]
    parts = [f"# {kind.capitalize()}", sentence(KINDS[kind])]
    if not found:
        parts.append("No installed plugin gives one.")
    for component in found:
        parts += list(component_parts(menu, component))
    return page(parts)


def component_parts(menu: Menu, component: Component) -> Iterator[str]:
    """Yield the parts of one component's section."""
    kind, name = component.kind, component.name
    yield f"## {kind}={name} {{ #{anchor(kind, name)} }}"
    yield component.doc
    yield f"Given by `{menu.registry.giver(kind, name)}`, as the class `{component.target}`."
    yield from traits_parts(component.traits_for(component.options()))
    path = f"{kind}.MODALITY" if kind == "projection" else kind.replace("/", ".")
    rows = list(option_rows(component.options, plain(component.options()), path))
    yield table(("option", "default", "type", "what it is"), rows) if rows else "It has no options."


def traits_parts(traits: Traits) -> Iterator[str]:
    """Yield what a component provides and needs, with its default options."""
    if traits.provides:
        yield f"Provides {', '.join(f'`{word}`' for word in sorted(traits.provides))}."
    needs = [
        f"- {f'Needs {needed(need.of, need.has)}' if not need.absent and need.count is None else f'Needs {need}'}: "
        f"it {need.because}."
        for need in traits.needs
    ]
    if traits.uses_tokenizer:
        needs.append("- Needs a `tokenizer`: it reads or writes text.")
    if needs:
        yield "\n".join(needs)


def needed(of: str, has: Iterable[str]) -> str:
    """Return what is needed, as `a `backbone` that provides `causal``."""
    words = " or ".join(f"`{word}`" for word in sorted(has))
    return f"{'an' if of[0] in 'aeiou' else 'a'} `{of}`" + (f" that provides {words}" if words else "")


def settings(menu: Menu) -> str:
    """Return the page of the core's own options."""
    parts = ["# Settings", "What belongs to a run and not to a part of the model."]
    for group, schema in Settings.groups().items():
        parts += [f"## {group}", sentence((schema.__doc__ or "").strip().split("\n")[0])]
        named = [f"[`{group}={name}`](presets.md#{anchor(group, name)})" for name in menu.presets(group)]
        if named:
            parts.append(f"Presets: {', '.join(named)}.")
        parts.append(table(("option", "default", "type", "what it is"), option_rows(schema, plain(schema()), group)))
    return page(parts)


def presets(menu: Menu) -> str:
    """Return the page of the YAML files that are choices: experiments first, then the presets of each group."""
    parts = [
        "# Experiments and presets",
        "Each is a YAML file that is a choice of its group. An experiment is a whole composition; a preset sets some "
        "options of one part or of one group of settings; a scale, other sizes of an experiment. `--config-dir` adds a "
        "folder of your own.",
    ]
    scales = [f"{SCALE}/{name}" for name in menu.choices(SCALE)]
    for group in dict.fromkeys([EXPERIMENT, *scales, *map(kind_of, menu.groups)]):
        for name, files in sorted(menu.presets(group).items()):
            if len(files) == 1:
                parts += preset_parts(files[0], group, name)
    return page(parts)


def preset_parts(preset: Preset, group: str, name: str) -> list[str]:
    """Return the parts of one file's section."""
    text = preset.path.read_text(encoding="utf-8")
    typed = f"{EXPERIMENT}={name} {preset.typed}" if group.startswith(f"{SCALE}/") else f"{group}={name}"
    return [f"## {typed} {{ #{anchor(group, name)} }}", preset.doc, f"Given by `{preset.giver}`.",
            block(text, "yaml")]  # fmt: skip


def api(title: str, objects: Iterable[str]) -> str:
    """Return the page of some objects, which mkdocstrings fills from their docstrings."""
    return page([f"# {title}", *(f"::: {name}" for name in objects)])


def option_rows(schema: type, values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, ...]]:
    """Yield a row for each option; options of options have paths."""
    docs, ranges = option_docs(schema), option_ranges(schema)
    for name, hint in option_types(schema).items():
        path = f"{prefix}.{name}"
        if isinstance(hint, type) and is_dataclass(hint):
            yield code(path), "", "", docs[name]
            yield from option_rows(hint, values[name], path)
        else:
            bounds = f", {range_words(*ranges[name])}" if name in ranges else ""
            yield code(path), code(shown(values[name])), f"{code(type_name(hint))}{bounds}", docs[name]


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell(text) for text in line) + " |" for line in lines)


def cell(text: str) -> str:
    """Return a text as a table's cell: on one line, its bars no borders."""
    return " ".join(text.split()).replace("|", "&#124;")


def code(text: str) -> str:
    """Return a text as code; as HTML, since a bar within backquotes would end a cell elsewhere than here."""
    return f"<code>{escape(text)}</code>" if text else ""


def shown(value: Any) -> str:
    """Return a value as the command line takes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return "''" if value == "" else str(value)


def block(text: str, language: str = "text") -> str:
    """Return a fenced block."""
    return f"```{language}\n{text.strip(chr(10))}\n```"


def sentence(text: str) -> str:
    """Return a text with a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."


def anchor(group: str, name: str) -> str:
    """Return the anchor of a choice's section: `backbone-gru`, `encoder-image-cnn`."""
    return f"{group}-{name}".replace("/", "-")


def page(parts: Iterable[str]) -> str:
    """Return a page of parts with empty lines between them."""
    return "\n\n".join(part for part in parts if part) + "\n"


if __name__ == "__main__":
    sys.stdout.write(f"{len(write())} pages in {FOLDER}\n")
