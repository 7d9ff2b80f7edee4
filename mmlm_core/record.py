"""Records what a run is made of when it starts: all that is known before weights and figures."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mmlm_core import API, __version__, machine
from mmlm_core.composition import Composition
from mmlm_core.files import write_json, write_yaml
from mmlm_core.interfaces import Tokenizer
from mmlm_core.plugins import Plugins
from mmlm_core.runs import RunFolder

__all__ = ["record_start"]


def record_start(
    folder: RunFolder,
    composition: Composition,
    plugins: Plugins,
    overrides: Sequence[str],
    tokenizer: Tokenizer | None,
    facts: Mapping[str, Any],
    more: Mapping[str, Any] | None = None,
) -> None:
    """Write what is known when the training starts: all but weights and figures.

    Args:
        folder: The run.
        composition: What is trained.
        plugins: The installed plugins.
        overrides: The command line's.
        tokenizer: With its vocabulary; None where no part uses one.
        facts: What the head knows of the training targets.
        more: Further facts for `environment.json`.
    """
    write_yaml(folder.config, composition.to_mapping())
    write_yaml(folder.overrides, list(overrides))
    write_json(folder.environment, {**_environment(composition, plugins), **(more or {})})
    write_json(folder.facts, dict(facts))
    if tokenizer is not None:
        folder.tokenizer_folder.mkdir(exist_ok=True)
        tokenizer.save(folder.tokenizer_folder)
    folder.checkpoint.parent.mkdir(exist_ok=True)


def _environment(composition: Composition, plugins: Plugins) -> dict[str, Any]:
    gives: dict[str, list[str]] = {}
    for choice in composition.choices.values():
        component = choice.component
        giver = plugins.registry.giver(component.kind, component.name)
        gives.setdefault(giver, []).append(f"{component.kind}={component.name}")
    return {
        "mmlm": __version__,
        "api": API,
        "python": platform.python_version(),
        "torch": version("torch"),
        "lightning": version("lightning"),
        "plugins": [
            {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version, "api": plugin.api,
             "gives": sorted(set(gives[plugin.distribution]))}
            for plugin in plugins.found
            if plugin.distribution in gives and not plugin.fault
        ],
        "seed": composition.settings.run.seed,
        "git": _git_commit(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "folder": str(Path.cwd()),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "machine": machine.describe(),
    }  # fmt: skip


def _git_commit() -> str | None:
    """Return the commit that the working directory stands on, marked where it has changes; None outside of git."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], capture_output=True, text=True, timeout=5, check=True)
        return done.stdout.strip()

    try:
        commit = git("rev-parse", "HEAD")
        return f"{commit} with changes" if git("status", "--porcelain", "--untracked-files=no") else commit
    except (OSError, subprocess.SubprocessError):
        return None
