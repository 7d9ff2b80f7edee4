"""Commands in the pages: finds them, and writes what they print below those of a `console` block.

A block of `sh` holds commands. A block of `console` holds commands behind `$ `, each with its output below it;
`python docs/transcripts.py` runs them all and writes their outputs anew, and a test sees that none is out of date. The
commands of one page run in one empty folder, in their order. Where a page says `<!-- installed: examples/plugin-x -->`,
that plugin can be found as if it were installed; and a block of `python` with the title of one of its files shows a
function or a call out of that file, which is written anew too.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

__all__ = ["blocks", "commands", "excerpts", "install", "installed", "refresh", "runner"]

FOLDER = Path(__file__).parent

BLOCK = re.compile(r"^```(?P<language>\w*)(?P<title>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text: str, language: str) -> list[str]:
    """Return the bodies of the fenced blocks of a language."""
    return [found["body"] for found in BLOCK.finditer(text) if found["language"] == language]


def commands(text: str) -> Iterator[str]:
    """Yield each command line of the `sh` and `console` blocks, its continuations joined."""
    for found in BLOCK.finditer(text):
        if found["language"] == "sh":
            yield from (line for line in _lines(found["body"]) if not line.startswith("#"))
        elif found["language"] == "console":
            yield from (line[2:] for line in _lines(found["body"]) if line.startswith("$ "))


def refresh(text: str, run: Callable[[str], str]) -> str:
    """Return a page with the output of each command of its `console` blocks written anew.

    Args:
        text: The page.
        run: Runs a command line, and returns what it prints.
    """

    def renewed(found: re.Match[str]) -> str:
        if found["language"] != "console":
            return found[0]
        lines = [line for line in _lines(found["body"], join=False) if line.startswith(("$ ", "> "))]
        told = []
        for line in lines:
            told.append(line)
            if not line.endswith("\\"):
                start = next(index for index in range(len(told) - 1, -1, -1) if told[index].startswith("$ "))
                command = " ".join(part[2:].rstrip("\\") for part in told[start:])
                told += run(command).rstrip("\n").splitlines()
        return f"```console{found['title']}\n" + "".join(f"{line}\n" for line in told) + "```"

    return BLOCK.sub(renewed, text)


def excerpts(text: str) -> str:
    """Return a page with the code that it shows of an installed plugin as that is now.

    Raises:
        ValueError: A file has nothing any more that begins with the lines of a block.
    """

    def renewed(found: re.Match[str]) -> str:
        title = re.search(r'title="([^"]+)"', found["title"])
        paths = [plugin / title[1] for plugin in installed(text)] if title and found["language"] == "python" else []
        if not paths:
            return found[0]
        code = _part(paths[0].read_text(encoding="utf-8"), found["body"])
        return f"```python{found['title']}\n{code}\n```"

    return BLOCK.sub(renewed, text)


def _part(source: str, like: str) -> str:
    """Return the outermost function or call that begins with the same three lines, without its indentation."""
    lines = source.splitlines()
    begins = [line.strip() for line in like.splitlines()[:3]]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.Call):
            start = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))]) - 1
            part = lines[start : node.end_lineno]
            if [line.strip() for line in part[: len(begins)]] == begins:
                part[-1] = part[-1][: node.end_col_offset]
                return textwrap.dedent("\n".join(part))
    raise ValueError(f"Nothing begins with `{' '.join(begins)}` any more.")


def installed(text: str) -> list[Path]:
    """Return the folders of the plugins that a page takes as installed."""
    return [FOLDER.parent / name for name in re.findall(r"<!-- installed: (\S+) -->", text)]


def install(plugin: Path, into: Path) -> list[str]:
    """Write what makes a distribution be found, as an editable installation does, and return the paths to search.

    Args:
        plugin: The distribution's folder.
        into: An empty folder, or one that this function has written into.
    """
    project = tomllib.loads((plugin / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name, version = project["name"], project["version"]
    folder = into / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    lines = [f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in points.items())
             for group, points in project["entry-points"].items()]  # fmt: skip
    (folder / "entry_points.txt").write_text("".join(lines), encoding="utf-8")
    return [str(into), str(plugin)]


def runner(folder: Path, plugins: Iterable[Path] = ()) -> Callable[[str], str]:
    """Return what runs a command line in a terminal of 88 columns without colours.

    Args:
        folder: An empty folder; the commands run in one below it.
        plugins: The folders of the plugins that are found beside those that are installed.
    """
    place, found = folder / "here", [path for plugin in plugins for path in install(plugin, folder / "installed")]
    place.mkdir(parents=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "COLUMNS": "88", "NO_COLOR": "1", "PYTHONPATH": os.pathsep.join(found)}
    environment.pop("MMLM_PLUGINS", None)

    def run(command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command], cwd=place, env=environment, check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return done.stdout

    return run


def _lines(body: str, join: bool = True) -> list[str]:
    return (re.sub(r"\\\n(?:> )?\s*", "", body) if join else body).splitlines()


def main() -> None:
    """Write the outputs of every page anew."""
    for page in sorted(FOLDER.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            renewed = excerpts(refresh(text, runner(Path(folder), installed(text))))
        if renewed != text:
            page.write_text(renewed, encoding="utf-8")
            sys.stdout.write(f"{page}\n")


if __name__ == "__main__":
    main()
