"""The menu as a source of Hydra's configurations: components become choices, typed by their options dataclasses.

Hydra makes its sources itself, so the menu cannot be handed to them: a session serves one menu at a time. A worker of
a launcher, which is another process, makes its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins as HydraPlugins
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import Container, DictConfig, OmegaConf

from mmlm_core.cli.menu import DEFAULT, EXPERIMENT, OPEN, SCALE, Menu
from mmlm_core.composition import kind_of
from mmlm_core.options import plain
from mmlm_core.plugins import load_plugins
from mmlm_core.registry import leaves_out
from mmlm_core.settings import Settings

__all__ = ["PRIMARY", "MenuSearchPath", "MenuSource", "options_node", "served", "serving"]

PRIMARY = "composition"
"""The name of the primary configuration: a defaults list of every group, and nothing else."""

_QUIET = {
    "run": {"dir": "."},
    "sweep": {"dir": "${run.folder}/sweep-${now:%Y-%m-%d_%H-%M-%S-%f}", "subdir": "."},
    "output_subdir": None,
    "job": {"chdir": False, "name": "mmlm"},
}
"""Hydra makes no folders of its own: a run records itself."""

_served: list[Menu] = []


@contextmanager
def serving(menu: Menu) -> Iterator[None]:
    """Serve a menu to Hydra inside the block."""
    HydraPlugins.instance().register(MenuSource)
    HydraPlugins.instance().register(MenuSearchPath)
    _served.append(menu)
    try:
        yield
    finally:
        _served.pop()


def served() -> Menu:
    """Return the menu that is served; in a worker process of a launcher, one of its own."""
    if not _served:
        _served.append(Menu(load_plugins()))
    return _served[-1]


class MenuSearchPath(SearchPathPlugin):
    """Puts the menu first, and last the folders of YAML files, for what they hold besides presets."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Add them, where a menu is served."""
        if _served:
            search_path.prepend("mmlm", f"{MenuSource.scheme()}://")
            for giver, folder in served().folders:
                search_path.append(giver, f"file://{folder}")


class MenuSource(ConfigSource):
    """Serves `backbone/gru`, `encoder/image/none`, `trainer/laptop`, ... and the primary configuration."""

    @staticmethod
    def scheme() -> str:
        """Return the scheme of this source."""
        return "mmlm"

    def available(self) -> bool:
        """Return that the menu is there."""
        return True

    def is_group(self, config_path: str) -> bool:
        """Return whether the path is a group, or leads to one."""
        path = config_path.rstrip("/")
        return any(group == path or group.startswith(f"{path}/") for group in served().groups)

    def is_config(self, config_path: str) -> bool:
        """Return whether the path is a choice."""
        group, _, name = config_path.removesuffix(".yaml").rpartition("/")
        if not group:
            return name == PRIMARY
        if group.startswith(f"{SCALE}/"):
            return served().scale(name, group.removeprefix(f"{SCALE}/")) is not None
        return group in served().groups and (name == OPEN or name in served().choices(group))

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Return the groups and choices below a path."""
        path = config_path.strip("/")
        below = [group.removeprefix(path).strip("/").partition("/")[0] for group in served().groups
                 if not path or group.startswith(f"{path}/")]  # fmt: skip
        choices = list(served().choices(path)) if path in served().groups else []
        return sorted({*(below if results_filter is not ObjectType.CONFIG else []),
                       *(choices if results_filter is not ObjectType.GROUP else [])})  # fmt: skip

    def load_config(self, config_path: str) -> ConfigResult:
        """Return a choice as a node; Hydra puts it where its group says."""
        menu = served()
        group, _, name = config_path.removesuffix(".yaml").rpartition("/")
        package: str | None = None
        scale = group.removeprefix(f"{SCALE}/") if group.startswith(f"{SCALE}/") else None
        node: Container
        if not group:
            node = _primary(menu)
        elif preset := menu.scale(name, scale) if scale else menu.preset(group, name):
            text = preset.path.read_text(encoding="utf-8")
            package = self._get_header_dict(text)["package"] or ("_global_" if preset.is_global else None)
            node = OmegaConf.create(preset.content)
        elif group in Settings.groups() and name == DEFAULT:
            node = options_node(Settings.groups()[group]())
        elif group == SCALE or name == OPEN or leaves_out(group, name):
            package, node = "_global_", OmegaConf.create({})
        else:
            node = options_node(menu.registry.get(kind_of(group), name).options(), name=name)
        return ConfigResult("mmlm", f"{self.scheme()}://", node, {"package": package})


def options_node(options: Any, **first: str) -> DictConfig:
    """Return options as a node whose keys are closed, apart from those of options that are mappings themselves.

    The values are checked against their types when the whole is composed, all at once and in our own words.
    """
    node = OmegaConf.create({**first, **plain(options)})
    _open_mappings(node, options)
    return node


def _open_mappings(node: DictConfig, options: Any) -> None:
    for field in fields(options):
        value = getattr(options, field.name) if field.init else None  # what is no option is not in the node
        if isinstance(value, dict):
            node._get_node(field.name)._set_flag("struct", False)  # type: ignore[union-attr]
        elif is_dataclass(value):
            _open_mappings(node[field.name], value)


def _primary(menu: Menu) -> DictConfig:
    """Return the primary configuration: one line for each group, so that each can be chosen without a `+`."""
    lines: list[Any] = [{group: menu.defaults[group]} for group in menu.groups if group in menu.defaults]
    quiet = [{f"override hydra/{log}": "none"} for log in ("hydra_logging", "job_logging")]
    sizes = {f"optional {SCALE}@_global_": f"${{oc.select:{SCALE}}}/${{oc.select:{EXPERIMENT}}}"}
    whole = [{EXPERIMENT: None}, {SCALE: None}, sizes]
    return OmegaConf.create({"defaults": [*lines, "_self_", *whole, *quiet], "hydra": _QUIET})
