"""Finds the installed plugins, loads each on its own, and sets the broken ones aside. Imports no torch."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import Any

import pluggy

from mmlm_core import hookspecs
from mmlm_core.errors import PluginError
from mmlm_core.registry import Component, Registry

__all__ = ["VARIABLE", "Plugin", "Plugins", "load_plugins"]

VARIABLE = "MMLM_PLUGINS"
"""The environment variable that names further plugin modules, by commas, while they are being written."""


@dataclass
class Plugin:
    """What is known of one plugin.

    Attributes:
        name: The entry point's name, or the module's.
        distribution: The distribution that it belongs to.
        version: The distribution's version; empty where it has none.
        api: The version of the plugin API that it was written for; None where it does not say.
        components: What it gives.
        config_packages: Packages with YAML files of its own.
        seconds: Time that its import took.
        fault: Why it was set aside; empty where it was not.
        warning: What is wrong with it although it is used; empty where nothing is.
    """

    name: str
    distribution: str
    version: str = ""
    api: int | None = None
    components: list[Component] = field(default_factory=list)
    config_packages: list[str] = field(default_factory=list)
    seconds: float = 0.0
    fault: str = ""
    warning: str = ""


@dataclass
class Plugins:
    """The plugins of this environment and the registry of all that they give."""

    found: list[Plugin]
    registry: Registry

    def config_packages(self) -> list[str]:
        """Return the packages with YAML files, of every plugin that is in use."""
        return [package for plugin in self.found for package in plugin.config_packages]

    def config_folders(self) -> list[tuple[str, Path]]:
        """Return the folders of those packages, each after the distribution that gives it."""
        return [
            (plugin.distribution, folder)
            for plugin in self.found
            for package in plugin.config_packages
            if (folder := _folder(package))
        ]


def load_plugins() -> Plugins:
    """Find and load every plugin.

    A plugin that fails in any way is set aside with the reason; the others are not touched by it.
    """
    registry = Registry()
    found = []
    for plugin, load in _candidates():
        _take_in(plugin, load)
        plugin.fault = plugin.fault or _twice(plugin, registry)
        if plugin.fault:
            plugin.components, plugin.config_packages = [], []
            registry.set_aside(f"plugin `{plugin.name}` of {plugin.distribution}: {plugin.fault}")
        for component in plugin.components:
            registry.register(component, plugin.distribution)
        found.append(plugin)
    return Plugins(found, registry.freeze())


def _twice(plugin: Plugin, registry: Registry) -> str:
    """Return the fault of a plugin that gives one name twice, or what its distribution gave before; or nothing."""
    seen = set()
    for component in plugin.components:
        key = (component.kind, component.name)
        if key in seen or registry.gives(plugin.distribution, *key):
            return f"{plugin.distribution} gives `{component.kind}={component.name}` twice."
        seen.add(key)
    return ""


def _candidates() -> Iterable[tuple[Plugin, Callable[[], object]]]:
    """Return each plugin of the environment with what loads it, in the order of their names."""
    seen = set()
    for entry in sorted(entry_points(group=hookspecs.GROUP), key=lambda entry: (entry.name, entry.value)):
        if entry.value in seen:  # an editable install can be seen twice
            continue
        seen.add(entry.value)
        owner = entry.dist
        yield Plugin(entry.name, owner.name if owner else "?", owner.version if owner else ""), entry.load
    for module in filter(None, (part.strip() for part in os.environ.get(VARIABLE, "").split(","))):
        if module not in seen:
            package = module.partition(".")[0] or module
            yield Plugin(module, package, _version(package)), partial(importlib.import_module, module)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _take_in(plugin: Plugin, load: Callable[[], object]) -> None:
    """Import the plugin, check it against the API, and note what it gives, or why it is set aside."""
    had_torch = "torch" in sys.modules
    started = time.perf_counter()
    try:
        loaded = load()
        plugin.api = getattr(loaded, "MMLM_API", None)
        if plugin.api == hookspecs.API:
            plugin.components, plugin.config_packages = _ask(loaded)
            plugin.warning = _emptiness(plugin)
        elif plugin.api is None:
            plugin.fault = f"it does not say which plugin API it was written for (`MMLM_API = {hookspecs.API}`)."
        else:
            plugin.fault = f"it was written for plugin API {plugin.api}; this mmlm has plugin API {hookspecs.API}."
    except (KeyboardInterrupt, SystemExit) as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        plugin.fault = "it exits when it is imported."
    except BaseException as error:
        plugin.fault = f"{type(error).__name__}: {error}"
    plugin.seconds = time.perf_counter() - started
    if "torch" in sys.modules and not had_torch:
        plugin.warning = (
            "it imports torch when it is declared, which slows every command: name classes by import path only."
        )


def _emptiness(plugin: Plugin) -> str:
    """Return what is wrong with a plugin that gives nothing, or names a package that is not there; or nothing."""
    for package in plugin.config_packages:
        if _folder(package) is None:
            return f"its package `{package}` of YAML files cannot be found."
    if not plugin.components and not plugin.config_packages:
        return "it gives nothing: are its hooks marked with `@mmlm_core.hookimpl`?"
    return ""


def _folder(package: str) -> Path | None:
    """Return the folder of a package without importing it; None where there is no such package."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    folders = spec.submodule_search_locations if spec else None
    return Path(next(iter(folders))) if folders else None


def _ask(loaded: object) -> tuple[list[Component], list[str]]:
    """Return what the plugin's hooks give; each plugin has a manager of its own, so that one cannot touch another."""
    manager = pluggy.PluginManager("mmlm")
    manager.add_hookspecs(hookspecs)
    manager.register(loaded)
    manager.check_pending()
    components = [component for given in manager.hook.mmlm_components() for component in _listed(given)]
    for component in components:
        if not isinstance(component, Component):
            raise PluginError(f"`mmlm_components` must return components, not {component!r}.")
    packages = [package for given in manager.hook.mmlm_config_packages() for package in _listed(given)]
    for package in packages:
        if not isinstance(package, str):
            raise PluginError(f"`mmlm_config_packages` must return names of packages, not {package!r}.")
    return components, packages


def _listed(given: object) -> list[Any]:
    """Return what a hook gave as a list; a hook that gives one thing itself has forgotten the brackets."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise PluginError(f"a hook must return a list, not {given!r}.")
    return list(given)
