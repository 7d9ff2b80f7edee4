"""`mmlm plugins check NAME`: runs the contracts on installed plugins, through pytest in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from mmlm_core.cli import say
from mmlm_core.errors import MmlmError, PluginError, UnknownChoiceError, did_you_mean, gather, one_of
from mmlm_core.hookspecs import GROUP
from mmlm_core.options import option_types
from mmlm_core.plugins import Plugin, Plugins

__all__ = ["check"]

TESTS = """\
from mmlm_core.testing import contracts
from mmlm_core.testing.items import own_items
options = {options!r}
made = contracts("{module}", options, own_items("{module}", options)).values()
only = {only!r}
globals().update({{f"Test {{case.key()}}": case for case in made if not only or case.key() in only}})
"""
"""The test file: a class for each component, under a name that tells the component."""

LINES = 8
"""Lines of a failure's message that are shown."""


@dataclass
class Outcome:
    """How the contracts of one component, or of a file that could not be read, ended."""

    passed: int = 0
    skipped: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)


def check(words: Sequence[str], plugins: Plugins) -> bool:
    """Run the contracts on plugins, print how they end, and return whether all are kept.

    Args:
        words: Names of plugins or of distributions, at least one; components of theirs, as `data=table`, where not all
            are to be checked; and options of these, where they cannot work without, as `data.path=rows.csv`.
        plugins: Those of this environment.

    Raises:
        MmlmError: A name is that of none, or of one that was set aside; a component or an option that there is not; or
            pytest is not installed.
    """
    chosen = _chosen([word for word in words if "=" not in word], plugins)
    only = _only([word for word in words if "=" in word and "." not in word.partition("=")[0]], chosen)
    options = _options([word for word in words if "." in word.partition("=")[0]], chosen, only)
    if find_spec("pytest") is None:
        raise PluginError("`mmlm plugins check` needs pytest, which is not installed: `pip install pytest`.")
    kept = True
    for number, plugin in enumerate(chosen):
        of = f"of {plugin.distribution} {plugin.version}".rstrip()
        if number:
            say.out()
        say.out(f"{say.bold(plugin.name)} {of}")
        if not plugin.components:
            say.out("  gives no component: there is nothing to check.")
            continue
        if only and not any(key in only for key in _keys([plugin])):
            say.out("  gives none of what is to be checked.")
            continue
        kept &= _tell(plugin, _run(_module(plugin), options, only), only)
    return kept


def _chosen(names: Sequence[str], plugins: Plugins) -> list[Plugin]:
    """Return the plugins that are named, each once."""
    chosen: list[Plugin] = []
    problems: list[MmlmError] = []
    for name in names:
        found = [plugin for plugin in plugins.found if name in (plugin.name, plugin.distribution)]
        if not found:
            known = sorted({known for plugin in plugins.found for known in (plugin.name, plugin.distribution)})
            told = one_of([plugin.name for plugin in plugins.found])
            problems.append(UnknownChoiceError(f"`{name}` is no installed plugin.{did_you_mean(name, known)}{told}"))
        problems += [
            PluginError(f"`{plugin.name}` of {plugin.distribution} was set aside, so nothing of it can be checked: "
                        f"{plugin.fault}") for plugin in found if plugin.fault
        ]  # fmt: skip
        chosen += [plugin for plugin in found if plugin not in chosen]
    if problems:
        raise gather(problems)
    return chosen


def _keys(plugins: Sequence[Plugin]) -> list[str]:
    return [f"{component.kind}={component.name}" for plugin in plugins for component in plugin.components]


def _only(words: Sequence[str], plugins: Sequence[Plugin]) -> list[str]:
    """Return the components to check, as `kind=name`; none: all.

    Raises:
        MmlmError: With every one that the plugins do not give.
    """
    keys = _keys(plugins)
    unknown = [word for word in words if word not in keys]
    if unknown:
        raise gather([
            UnknownChoiceError(f"`{word}` is no component of what is checked.{did_you_mean(word, keys)}{one_of(keys)}")
            for word in unknown
        ])  # fmt: skip
    return list(words)


def _options(words: Sequence[str], plugins: Sequence[Plugin], only: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the options of each component, by `kind=name`; they are typed where the components are made.

    Raises:
        UnknownChoiceError: No component that is checked has such an option.
    """
    given: dict[str, dict[str, Any]] = {}
    components = [component for plugin in plugins for component in plugin.components
                  if not only or f"{component.kind}={component.name}" in only]  # fmt: skip
    for word in words:
        path, _, value = word.partition("=")
        of_kind = [component for component in components if path.startswith(f"{component.kind.replace('/', '.')}.")]
        if not of_kind:
            kinds = sorted({component.kind for component in components})
            raise UnknownChoiceError(f"`{path}` begins with no kind of what is checked, as `data.path` does."
                                     f"{did_you_mean(path.partition('.')[0], kinds)}{one_of(kinds)}")  # fmt: skip
        *groups, option = path[len(of_kind[0].kind) + 1 :].split(".")
        first = groups[0] if groups else option
        fitting = [component for component in of_kind if first in option_types(component.options)]
        if not fitting:
            names = sorted({name for component in of_kind for name in option_types(component.options)})
            raise UnknownChoiceError(f"`{path}` is no option of what is checked.{did_you_mean(first, names)}"
                                     f"{one_of(names)}")  # fmt: skip
        for component in fitting:
            node = given.setdefault(f"{component.kind}={component.name}", {})
            for group in groups:
                below = node.get(group)
                node[group] = below if isinstance(below, dict) else {}
                node = node[group]
            node[option] = value
    return given


def _module(plugin: Plugin) -> str:
    """Return the module that declares a plugin: its entry point's, or its own name where the environment names it."""
    for entry in entry_points(group=GROUP, name=plugin.name):
        if entry.dist is not None and entry.dist.name == plugin.distribution:
            if entry.attr:
                raise PluginError(f"`{plugin.name}` of {plugin.distribution} is declared by the object "
                                  f"`{entry.value}`: contracts are made for a plugin that is a module.")  # fmt: skip
            return entry.module
    return plugin.name


def _run(module: str, options: dict[str, dict[str, Any]], only: Sequence[str]) -> dict[str, Outcome]:
    """Return the outcome of each component by `kind=name`, and under an empty name what went wrong before them."""
    with tempfile.TemporaryDirectory(prefix="mmlm-check-") as name:
        folder = Path(name)
        (folder / "test_contracts.py").write_text(
            TESTS.format(module=module, options=options, only=only), encoding="utf-8"
        )
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # whatever the user's own folders say
        report = folder / "report.xml"
        # `-P`: the folder of this command is no place to import from, unless the user's PYTHONPATH says so.
        command = [sys.executable, "-P", "-m", "pytest", "-q", "-c", str(folder / "pytest.ini"), "--rootdir", name,
                   "-p", "no:cacheprovider", "--import-mode=importlib", "-o", "junit_logging=no", "--junitxml",
                   str(report), str(folder / "test_contracts.py")]  # fmt: skip
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if not report.is_file():
            raise PluginError(f"pytest ended with code {done.returncode}: {(done.stderr or done.stdout).strip()}")
        return _read(ElementTree.parse(report).iter("testcase"))


def _read(cases: Iterable[ElementTree.Element]) -> dict[str, Outcome]:
    """Return what pytest's report tells."""
    outcomes: dict[str, Outcome] = {}
    for case in cases:
        component = case.get("classname", "").partition(".Test ")[2]
        outcome = outcomes.setdefault(component, Outcome())
        wrong = [part for part in case if part.tag in ("failure", "error")]
        if wrong:
            message = wrong[0].get("message", "") if component else (wrong[0].text or "")
            outcome.failures.append((case.get("name", "") if component else "", message))
        elif any(part.tag == "skipped" for part in case):
            outcome.skipped += 1
        else:
            outcome.passed += 1
    return outcomes


def _tell(plugin: Plugin, outcomes: dict[str, Outcome], only: Sequence[str]) -> bool:
    """Print a line for each component, and the message of each failure; return whether there is none."""
    if "" in outcomes:
        say.out("  the contracts cannot be made:")
        say.out(_shown(outcomes[""].failures[0][1], keep_end=True))
        return False
    width = max(len(component) for component in outcomes)
    for component, outcome in outcomes.items():
        figures = [f"{outcome.passed} passed"]
        figures += [f"{len(outcome.failures)} failed"] if outcome.failures else []
        figures += [f"{outcome.skipped} not asked of it"] if outcome.skipped else []
        say.out(f"  {'FAILED' if outcome.failures else 'ok':<6}  {component:<{width}}  {', '.join(figures)}")
        for message, failures in groupby(outcome.failures, key=lambda failure: failure[1]):
            for test, _ in failures:
                say.out(f"    {test}")
            say.out(_shown(message))  # once for all tests in a row that end with it
    missing = {key for key in _keys([plugin]) if not only or key in only} - set(outcomes)
    for component in sorted(missing):
        say.out(f"  FAILED  {component:<{width}}  no contract was run")
    return not missing and not any(outcome.failures for outcome in outcomes.values())


def _shown(message: str, keep_end: bool = False) -> str:
    lines = [line for line in message.splitlines() if line.strip()]
    if len(lines) > LINES:
        lines = ["...", *lines[-LINES:]] if keep_end else [*lines[:LINES], "..."]
    return textwrap.indent("\n".join(lines), " " * 6)
