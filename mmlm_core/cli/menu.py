"""What can be chosen on the command line: groups, their choices, and the choice of each that nobody named.

A group's choices are the components of its slot and the presets: YAML files in a folder of the group's name, of this
package, of a plugin, or of the user's `--config-dir`. Imports neither Hydra nor torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mmlm_core.composition import kind_of, slots
from mmlm_core.errors import ConflictError, OptionError, UnknownChoiceError, did_you_mean, one_of
from mmlm_core.options import plain
from mmlm_core.plugins import Plugins
from mmlm_core.registry import NONE, leaves_out
from mmlm_core.settings import Settings

__all__ = ["CORE", "DEFAULT", "EXPERIMENT", "OPEN", "SCALE", "Menu", "Preset", "merged", "read_yaml"]

CORE = "mmlm-core"
"""The distribution that gives the settings and their presets."""

DEFAULT = "default"
"""The choice of a settings group that leaves every option at its default."""

EXPERIMENT = "experiment"
"""The group of whole compositions."""

SCALE = "scale"
"""The group of other sizes of an experiment: `scale=gpu` is `scale/gpu/NAME.yaml` beside `experiment/NAME.yaml`."""

OPEN = "_open_"
"""The choice of a slot that is not chosen yet, which only this module and the config source know."""


@dataclass(frozen=True)
class Preset:
    """A YAML file that is a choice of its group."""

    group: str
    name: str
    giver: str
    path: Path

    @property
    def doc(self) -> str:
        """The file's first comment that is no directive, as one line."""
        lines = []
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            text = line.strip()
            if text and not text.startswith("#"):
                break
            if text.startswith("#") and not text.startswith(("# @", "#  ")):  # no directive, and no example
                lines.append(text.lstrip("# "))
            elif lines:
                break
        return " ".join(lines)

    @property
    def typed(self) -> str:
        """What chooses it on the command line; a scale is chosen beside its experiment."""
        scale = self.group.removeprefix(f"{SCALE}/")
        return f"{self.group}={self.name}" if scale == self.group else f"{SCALE}={scale}"

    @property
    def is_global(self) -> bool:
        """Whether it sets options of any group, and not of its own."""
        return self.group == EXPERIMENT or self.group.startswith(f"{SCALE}/")

    @cached_property
    def content(self) -> dict[str, Any]:
        """The file's mapping.

        Raises:
            OptionError: It is no YAML, or no mapping.
        """
        return read_yaml(self.path, f"`{self.typed}` of {self.giver}")

    @property
    def bases(self) -> list[tuple[str, str]]:
        """The groups that the file's defaults list names with their choices; its own group where it names none.

        Raises:
            OptionError: The file cannot be read, or its defaults are no list.
        """
        pairs: list[tuple[str, str]] = []
        lines = self.content.get("defaults") or []
        if not isinstance(lines, list):
            raise OptionError(f"`defaults` of `{self.path}` must be a list, not `{lines}`.")
        for line in lines:
            if isinstance(line, Mapping):
                for key, value in line.items():
                    group = str(key).removeprefix("optional ").removeprefix("override ").partition("@")[0]
                    pairs.append((group.removeprefix("/"), str(value)))
            elif isinstance(line, str) and line != "_self_":
                group, _, name = line.removeprefix("/").rpartition("/")
                pairs.append((group or self.group, name))
        return pairs


class Menu:
    """The groups of the command line and their choices.

    Args:
        plugins: The plugins of this environment.
        config_dir: The user's own folder of YAML files, which goes before the plugins'.
    """

    def __init__(self, plugins: Plugins, config_dir: Path | None = None) -> None:
        self.plugins = plugins
        self.registry = plugins.registry
        self.config_dir = config_dir
        if config_dir is not None and not config_dir.is_dir():
            raise OptionError(f"`--config-dir` must be a folder, and `{config_dir}` is none.")

    @cached_property
    def slots(self) -> list[str]:
        """The slots of a composition."""
        return slots(self.registry)

    @cached_property
    def groups(self) -> list[str]:
        """Every group that has choices: slots, settings, whole compositions, and their scales."""
        return [*self.slots, *Settings.groups(), EXPERIMENT, SCALE]

    @cached_property
    def folders(self) -> list[tuple[str, Path]]:
        """The folders of YAML files, each after who gives it; the user's first."""
        own = [("--config-dir", self.config_dir.resolve())] if self.config_dir else []
        return [*own, (CORE, Path(__file__).parent.parent / "conf"), *self.plugins.config_folders()]

    @cached_property
    def defaults(self) -> dict[str, str]:
        """The choice of each group that the command line does not name."""
        wished = read_yaml(Path(__file__).parent.parent / "conf" / "defaults.yaml", "conf/defaults.yaml")
        chosen = {}
        for slot in self.slots:
            wish = str(wished.get(kind_of(slot), NONE))
            open_or_none = NONE if self.can_be_left_out(slot) else OPEN
            chosen[slot] = wish if wish in self.registry.names(kind_of(slot)) else open_or_none
        return {**chosen, **dict.fromkeys(Settings.groups(), DEFAULT)}

    @cached_property
    def _presets(self) -> dict[str, dict[str, list[Preset]]]:
        return {}

    def presets(self, group: str) -> dict[str, list[Preset]]:
        """Return the YAML files of a group by name; a name of which more than one file is left is in conflict."""
        folder_of = kind_of(group)
        if folder_of in self._presets:
            return self._presets[folder_of]
        found = self._presets.setdefault(folder_of, {})
        for giver, folder in self.folders:
            for path in sorted((folder / folder_of).glob("*.yaml")):
                files = found.setdefault(path.stem, [])
                if not (files and files[0].giver == "--config-dir"):  # the user's own file goes before a plugin's
                    files.append(Preset(folder_of, path.stem, giver, path))
        return found

    def can_be_left_out(self, group: str) -> bool:
        """Return whether `none` leaves a group out; elsewhere it may be a component's name."""
        return group in self.slots and leaves_out(group, NONE)

    def choices(self, group: str) -> dict[str, str]:
        """Return the names that can be chosen in a group, each with who gives it."""
        own = {name: self.registry.giver(kind_of(group), name) for name in self.registry.names(kind_of(group))}
        if group == SCALE:
            return dict(sorted({path.name: giver for giver, folder in reversed(self.folders)
                                for path in (folder / SCALE).glob("*/")}.items()))  # fmt: skip
        if group in Settings.groups():
            own[DEFAULT] = CORE
        elif self.can_be_left_out(group):
            own[NONE] = CORE
        for name, files in self.presets(group).items():
            if len(files) == 1 and name not in own:
                own[name] = files[0].giver
        return dict(sorted(own.items()))

    def preset(self, group: str, name: str) -> Preset | None:
        """Return the YAML file behind a choice; None where it is a component or a default."""
        files = self.presets(group).get(name, [])
        return files[0] if len(files) == 1 and name in self.choices(group) else None

    def check(self, group: str, name: str) -> None:
        """Check that a name can be chosen in a group.

        Raises:
            ConflictError: Two packages give it.
            UnknownChoiceError: Nobody gives it.
        """
        files = self.presets(group).get(name, [])
        if name in self.choices(group) and files and name in (*self.registry.names(kind_of(group)), DEFAULT, NONE):
            raise ConflictError(f"`{group}={name}` is a component, and `{files[0].path}` of {files[0].giver} takes its "
                                "name: give the file another one.")  # fmt: skip
        if name in self.choices(group):
            return
        if len(files) > 1:
            both = " and ".join(f"{preset.giver} (`{preset.path}`)" for preset in files)
            raise ConflictError(f"`{group}={name}` is given by {both}: neither wins. Remove one of them.")
        if any(kind == kind_of(group) and name == other for kind, other, _ in self.registry.conflicts()):
            self.registry.get(kind_of(group), name)
        raise UnknownChoiceError(f"`{name}` is no choice of `{group}`.{did_you_mean(name, self.choices(group))}"
                                 f"{self.listed(group)}{self.registry.asides()}")  # fmt: skip

    def listed(self, group: str) -> str:
        """Return the choices of a group as the end of a message, each with the package that gives it."""
        told = [f"`{name}`" if giver == CORE else f"`{name}` ({giver})" for name, giver in self.choices(group).items()]
        if not told:
            return " There are no choices: no installed plugin gives one."
        return f" Choices: {', '.join(told)}."

    def component(self, group: str, name: str) -> str:
        """Return the component that a choice is, or that a preset extends; empty where there is none."""
        seen = set()
        while (preset := self.preset(group, name)) and name not in seen:
            seen.add(name)
            name = next((base for other, base in preset.bases if other in (group, kind_of(group))), "")
        return name if name in self.registry.names(kind_of(group)) else ""

    def values(self, group: str, name: str) -> dict[str, Any]:
        """Return the options of a choice: the defaults of its dataclass, and what its file and those below it set."""
        schema = self.schema(group, name)
        values = {} if schema is None else plain(schema())
        for _, own in self.layers(group, name):
            values = merged(values, own)
        return values

    def layers(self, group: str, name: str) -> list[tuple[Preset, dict[str, Any]]]:
        """Return the file of a choice after those that it extends, each with the values that it sets itself."""
        preset = self.preset(group, name)
        if preset is None:
            return []
        below = [layer for other, base in preset.bases if other in (group, kind_of(group)) and base != name
                 for layer in self.layers(group, base)]  # fmt: skip
        return [*below, (preset, {key: value for key, value in preset.content.items() if key != "defaults"})]

    def scale(self, experiment: str, name: str) -> Preset | None:
        """Return the file of a scale of an experiment, which may be that of one that it extends; None where none is."""
        group = f"{SCALE}/{name}"
        having = (preset.name for preset in reversed(self.experiments(experiment)))
        return self.preset(group, next((name for name in having if name in self.presets(group)), ""))

    def scales(self, experiment: str) -> dict[str, str]:
        """Return the scales of an experiment, each with who gives it."""
        found = {name: self.scale(experiment, name) for name in self.choices(SCALE)}
        return {name: preset.giver for name, preset in found.items() if preset}

    def having(self, scale: str) -> str:
        """Return the experiments that have a scale as the end of a message."""
        found = [experiment for experiment in self.choices(EXPERIMENT) if self.scale(experiment, scale)]
        return one_of(found).replace("Choices", "Experiments that have it")

    def experiments(self, name: str, scale: str = "") -> list[Preset]:
        """Return the file of an experiment after those that it extends, and last that of a scale."""
        found: list[Preset] = []
        waiting = [name]
        while waiting:
            preset = self.preset(EXPERIMENT, waiting.pop(0))
            if preset and preset not in found:
                found.insert(0, preset)
                waiting += [base for group, base in preset.bases if group == EXPERIMENT]
        sizes = self.scale(name, scale) if scale else None
        return [*found, sizes] if sizes else found

    def schema(self, group: str, name: str) -> type | None:
        """Return the options dataclass of a choice; None where it has none."""
        if group in Settings.groups():
            return Settings.groups()[group]
        component = self.component(group, name)
        return self.registry.get(kind_of(group), component).options if component else None


def merged(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with those of `others` put over them, mappings key by key."""
    both = dict(values)
    for key, value in others.items():
        inner = both.get(key)
        both[key] = merged(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return both


def read_yaml(path: Path, what: str) -> dict[str, Any]:
    """Return the mapping that a YAML file holds.

    Raises:
        OptionError: It cannot be read, is no YAML, or no mapping.
    """
    import yaml  # type: ignore[import-untyped]

    try:
        content = yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        line = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise OptionError(f"{what} is no YAML{line}: {error.problem}. The file is `{path}`.") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise OptionError(f"{what} cannot be read: {error}. The file is `{path}`.") from error
    if not isinstance(content or {}, dict):
        raise OptionError(f"{what} must be a mapping. The file is `{path}`.")
    return content or {}
