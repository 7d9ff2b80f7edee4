"""Reads a run folder again, without running code out of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmlm_core import compat
from mmlm_core.boxes import changed
from mmlm_core.composition import Composition
from mmlm_core.errors import MissingPluginError, MmlmError, RunError, UnknownChoiceError, did_you_mean
from mmlm_core.files import read_json, read_yaml
from mmlm_core.hookspecs import API
from mmlm_core.named_files import check_files, place_files
from mmlm_core.overriding import CHANGEABLE, override
from mmlm_core.plugins import VARIABLE, Plugins, load_plugins
from mmlm_core.registry import Registry, leaves_out
from mmlm_core.runs import RunFolder
from mmlm_core.safety import refuse_unsafe
from mmlm_core.settings import RunOptions

__all__ = ["RunRecord", "find_data", "read_run"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunRecord:
    """A run that was read.

    Attributes:
        folder: Where its parts lie.
        composition: What was trained, with the overrides of the reading.
        facts: What the head knows of the training targets.
        environment: Versions, seed, machine, command.
        overrides: The overrides that it was trained with.
        plugins: The plugins that it was read with.
    """

    folder: RunFolder
    composition: Composition
    facts: dict[str, Any]
    environment: dict[str, Any]
    overrides: list[str]
    plugins: Plugins = field(repr=False)

    @property
    def tokenizer_folder(self) -> Path:
        """The tokenizer's own files."""
        return self.folder.tokenizer_folder

    @property
    def weights(self) -> Path:
        """The best weights."""
        return self.folder.weights

    def edits(self) -> list[str]:
        """Return what differs of the model's parts from what was trained, as far as the run's own record tells."""
        told = []
        for box in self.environment.get("boxes", []):
            now = self.composition.choices.get(box["slot"])
            if now is None or box["slot"] in CHANGEABLE:
                continue
            before, after = f"{box['choice']} {box['changed']}", f"{now.component.name} {changed(now.options)}"
            if before != after:
                told.append(f"`{box['slot']}` was `{before.strip()}` and is `{after.strip()}`")
        return told


def read_run(
    path: Path, overrides: Sequence[str] = (), *, plugins: Plugins | None = None, trained: bool = True
) -> RunRecord:
    """Read a run folder. Nothing in it is executed, and a name in it means what the registry says.

    Args:
        path: The folder.
        overrides: Values that replace the run's own, as `decoding.beams=4`.
        plugins: The installed plugins; None: they are loaded.
        trained: Whether weights must be there.

    Raises:
        RunError: The folder is missing, incomplete or not to be trusted.
        MissingPluginError: It names a component whose plugin is not installed.
        MmlmError: Its values do not suit the installed plugins, or the overrides set what does not fit together.
    """
    folder = RunFolder(Path(path))
    _require(folder, trained)
    source = f"`{folder.config}`"
    mapping = read_yaml(folder.config)
    if not isinstance(mapping, dict):
        raise RunError(f"{source} must hold a mapping of groups, not {type(mapping).__name__}.")
    refuse_unsafe(mapping, source)
    environment = read_json(folder.environment)
    plugins = plugins or load_plugins()
    _check_plugins(mapping, plugins.registry, environment)
    _check_versions(folder.path, plugins, environment)
    composition = override(mapping, plugins.registry, overrides, source)
    compat.check(composition, plugins.registry)
    if composition.uses_tokenizer and not folder.tokenizer_folder.is_dir():
        raise RunError(f"`{folder.path}` is incomplete: `tokenizer/` is missing, and the run uses a tokenizer.")
    texts = read_yaml(folder.overrides) if folder.overrides.exists() else []
    if not isinstance(texts, list):
        raise RunError(f"`{folder.overrides}` must hold a list of overrides, not {type(texts).__name__}.")
    return RunRecord(folder, composition, read_json(folder.facts), environment, [str(text) for text in texts], plugins)


def find_data(record: RunRecord, advice: str) -> None:
    """Check the files that a run's options name, before they are read.

    A path that leads nowhere from here is that of the folder in which the run was trained, where it is there.

    Args:
        record: The run.
        advice: What to do where that folder is another one and does not have it either.

    Raises:
        MmlmError: With everything that is missing, and where the run was trained.
    """
    there = Path(str(record.environment.get("folder", "")))
    for path in place_files(record.composition, there) if there.is_absolute() else ():
        _log.warning("`%s` is not here: it is read in `%s`, where the run was trained.", path, there)
    try:
        check_files(record.composition)
    except MmlmError as error:
        if not there.is_absolute() or there == Path.cwd():
            raise
        raise type(error)(f"{error} The run was trained in `{there}`: {advice}") from error


def _require(folder: RunFolder, trained: bool) -> None:
    if not folder.path.is_dir():
        raise RunError(f"`{folder.path}` is no run folder: there is no such folder.{_near(folder.path)}")
    needed = [folder.config, folder.environment, folder.facts]
    missing = [path for path in needed if not path.is_file()]
    if missing:
        names = ", ".join(f"`{path.name}`" for path in missing)
        verb = "is" if len(missing) == 1 else "are"
        raise RunError(f"`{folder.path}` is no complete run folder: {names} {verb} missing.")
    if trained and not folder.weights.is_file():
        more = f" Go on with its training by `mmlm train --resume {folder.path}`." if folder.checkpoint.exists() else ""
        raise RunError(f"`{folder.path}` has no trained weights: `{folder.weights.name}` is missing.{more}")


def _near(path: Path) -> str:
    """Return `" Did you mean ...?"` for the run that the path nearly names, beside it or under `runs`."""
    for parent in dict.fromkeys((path.parent, Path(RunOptions().folder))):
        if not parent.is_dir():
            continue
        runs = {str(entry): entry.name for entry in sorted(parent.iterdir()) if RunFolder(entry).config.is_file()}
        guess = did_you_mean(path.name, runs.values())
        if guess:
            return next(f" Did you mean `{run}`?" for run, name in runs.items() if f"`{name}`" in guess)
    return ""


def _check_plugins(mapping: Mapping[str, Any], registry: Registry, environment: Mapping[str, Any]) -> None:
    """Say which plugins must be installed, where the run names components that no installed one gives."""
    missing: dict[str, list[str]] = {}
    listed = environment.get("plugins", [])
    if not isinstance(listed, list) or not all(isinstance(entry, Mapping) for entry in listed):
        raise RunError("`plugins` in the run's `environment.json` must be a list of mappings.")
    entries = {name: entry for entry in listed for name in entry.get("gives", [])}
    for kind, name in _chosen(mapping):
        try:
            registry.giver(kind, name)
        except UnknownChoiceError:
            entry = entries.get(f"{kind}={name}")
            if entry is None:
                continue  # reading the composition says what is known of the name
            missing.setdefault(_install_line(entry), []).append(f"`{kind}={name}`")
        except MmlmError:
            continue
    if missing:
        told = [f"{' and '.join(names)} of this run {'comes' if len(names) == 1 else 'come'} from {line}"
                for line, names in missing.items()]  # fmt: skip
        raise MissingPluginError("\n".join(told))


def _check_versions(run: Path, plugins: Plugins, environment: Mapping[str, Any]) -> None:
    """Refuse a run of another plugin API, and warn of plugins that have another version than it was trained with.

    Raises:
        RunError: The run was made under another plugin API, whose components mean something else.
    """
    api = environment.get("api", API)
    if api != API:
        core = environment.get("mmlm", "?")
        raise RunError(f"`{run}` was made under plugin API {api}, and this mmlm has plugin API {API}: its parts may "
                       f"mean something else. The mmlm that made it: `pip install mmlm-core=={core}`.")  # fmt: skip
    installed = {plugin.distribution: plugin.version for plugin in plugins.found if not plugin.fault}
    for entry in environment.get("plugins", []):
        name, version = entry.get("distribution"), entry.get("version")
        if name in installed and version != installed[name]:
            told = f"`{run}` was trained with {name} {version}, and {installed[name]} is installed"
            _log.warning("%s: what it predicts may differ. `pip install %s==%s` brings that back.", told, name, version)


def _install_line(entry: Mapping[str, Any]) -> str:
    name, version = entry.get("distribution", "?"), entry.get("version", "")
    if not version:
        return f"the module `{entry.get('name')}`, which is not loaded: name it in the variable {VARIABLE}."
    return f"the plugin {name} {version}, which is not installed: `pip install {name}=={version}`."


def _chosen(mapping: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield kind and name of each component that a configuration names."""
    for group, node in mapping.items():
        nested = group in ("encoder", "projection") and isinstance(node, Mapping)
        for modality, choice in node.items() if nested else [("", node)]:
            name = choice.get("name") if isinstance(choice, Mapping) else None
            kind = f"{group}/{modality}" if group == "encoder" else group
            if isinstance(name, str) and not leaves_out(kind, name) and group != "run":
                yield kind, name
