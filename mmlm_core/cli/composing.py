"""From overrides to a checked composition, through Hydra."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import hydra
from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode
from hydra.version import VersionBase
from omegaconf import Container, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mmlm_core import compat
from mmlm_core.cli import checking, explain, swapping
from mmlm_core.cli.menu import Menu
from mmlm_core.cli.source import PRIMARY, serving
from mmlm_core.composition import Composition
from mmlm_core.errors import MmlmError, OptionError, gather, run_all
from mmlm_core.named_files import check_files
from mmlm_core.registry import Registry

__all__ = ["PRIMARY", "check", "compose", "jobs", "session", "swapped", "sweeping", "to_composition", "to_mapping",
           "typed_overrides"]  # fmt: skip


@contextmanager
def session(menu: Menu) -> Iterator[Any]:
    """Make Hydra ready to compose from a menu, and leave its global state as it was.

    Yields:
        Hydra's application object.
    """
    state, base = GlobalHydra.instance(), VersionBase.instance().getbase()
    before = state.hydra
    state.clear()
    # 1.4 has no version base any more
    version_base = {} if hydra.__version__.startswith("1.4") else {"version_base": None}
    try:
        with serving(menu), initialize_config_module("mmlm_core.conf", job_name="mmlm", **version_base):
            yield GlobalHydra.instance().hydra
    finally:
        GlobalHydra.set_instance(state)
        state.hydra = before
        VersionBase.instance().version_base = base


def compose(application: Any, menu: Menu, overrides: Sequence[str], sweep: bool = False) -> DictConfig:
    """Return what the overrides compose, Hydra's own node included.

    Args:
        application: What `session` yields.
        menu: The choices.
        overrides: As on the command line.
        sweep: Whether an override may give several values.

    Raises:
        MmlmError: Everything that is wrong with the overrides.
    """
    parsed = checking.parse(overrides)
    checking.check_choices(menu, parsed, sweep)
    try:
        cfg: DictConfig = application.compose_config(
            config_name=PRIMARY, overrides=list(overrides), run_mode=RunMode.MULTIRUN if sweep else RunMode.RUN
        )
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        groups = [o.input_line for o in parsed if o.key_or_group in menu.groups and not o.is_sweep_override()]
        try:
            base = application.compose_config(config_name=PRIMARY, overrides=groups, run_mode=RunMode.RUN)
        except (HydraException, OmegaConfBaseException, ValueError):
            base = None
        raise explain.explain(error, menu, parsed, base) from error
    if not sweep:
        swapped(cfg, menu)
    return cfg


def check(composition: Composition, registry: Registry) -> None:
    """Raise where the parts do not fit, or files are plainly not as options say.

    Raises:
        MmlmError: With both.
    """
    run_all([partial(compat.check, composition, registry), partial(check_files, composition)])


def swapped(cfg: DictConfig, menu: Menu) -> list[str]:
    """Take out of a configuration what an experiment set where a part or a preset was named instead of its own.

    Returns:
        A line for each of these, the same when it is asked again.
    """
    overrides = checking.parse(typed_overrides(cfg.hydra))
    return swapping.leave_out(cfg, menu, overrides) + swapping.put_over(cfg, menu, overrides)


def jobs(parsed: Sequence[Override], limit: int = 100) -> list[list[str]] | None:
    """Return the overrides of the first jobs of a sweep; None where they cannot be listed, as for an interval."""
    values: dict[str, list[str]] = {}
    for override in parsed:
        if override.is_sweep_override():
            if not override.is_discrete_sweep():
                return None
            key = override.get_key_element()
            values[key] = [f"{key}={value}" for value in override.sweep_string_iterator()]
        else:
            values[override.get_key_element()] = [str(override.input_line)]
    return [list(job) for job in itertools.islice(itertools.product(*values.values()), limit)]


def sweeping(overrides: Sequence[str], menu: Menu) -> list[str]:
    """Return the overrides of a sweep so that Hydra takes options of the parts that are swept over.

    Hydra first composes a sweep without what is swept over: `backbone=gru,lstm backbone.layers=2` would set `layers` on
    the default backbone. As a sweep over one value, the option is left to the jobs.
    """
    parsed = checking.parse(overrides)
    swept = [f"{override.key_or_group.replace('/', '.')}." for override in parsed
             if override.is_sweep_override() and override.key_or_group in menu.groups]  # fmt: skip
    return [
        f"{override.get_key_element()}=choice({override.get_value_element_as_str()})"
        if override.key_or_group.startswith(tuple(swept)) and not (override.is_sweep_override() or override.is_delete())
        else text
        for text, override in zip(overrides, parsed, strict=True)
    ]


def to_composition(cfg: DictConfig, menu: Menu) -> Composition:
    """Return the composition that a composed configuration describes; whether its parts fit is not checked.

    Args:
        cfg: What `compose` returns.
        menu: The choices.

    Raises:
        MmlmError: Every unknown group and option, and every value of the wrong type or out of range.
    """
    choices = {str(group): str(name) for group, name in cfg.hydra.runtime.choices.items() if name is not None}
    overrides = checking.parse(typed_overrides(cfg.hydra))

    def origin(path: str) -> str:
        return explain.origin(path, overrides, menu, choices)

    mapping = to_mapping(cfg, origin)
    problems: list[MmlmError] = []
    for slot in menu.slots:
        expected = menu.component(slot, choices.get(slot, ""))
        node = _at(mapping, slot)
        if expected and isinstance(node, dict) and node.get("name") not in (expected, None):
            path = f"{slot.replace('/', '.')}.name"
            problems.append(OptionError(f"`{path}` of {origin(path)} is `{node['name']}`, and `{slot}={choices[slot]}` "
                                        f"is chosen: write `{slot}={node['name']}` instead."))  # fmt: skip
            node["name"] = expected
    try:
        composition = Composition.from_mapping(menu.registry, mapping, origin)
    except MmlmError as error:
        problems.append(error)
    if problems:
        raise gather(problems)
    return composition


def typed_overrides(own: Any) -> list[str]:
    """Return the overrides as they were typed, `${...}` included, from Hydra's own node."""
    return [str(text) for text in OmegaConf.to_container(own.overrides.task, resolve=False)]  # type: ignore[union-attr]


def to_mapping(cfg: DictConfig, origin: explain.Origin, resolve: bool = True) -> dict[str, Any]:
    """Return a composed configuration as plain values, without Hydra's node and without what is not read.

    Raises:
        OptionError: A value refers to another one that is not there.
    """
    state = HydraConfig.instance()
    before = state.cfg
    if "hydra" in cfg:
        state.cfg = cast(Any, cfg)  # `${hydra:...}` reads it
    mapping: dict[str, Any] = {}
    try:
        for key in cfg:
            if key != "hydra":
                node = cfg._get_node(key)
                mapping[str(key)] = (OmegaConf.to_container(node, resolve=resolve) if isinstance(node, Container)
                                     else cfg[key])  # fmt: skip
    except OmegaConfBaseException as error:
        path = str(error.full_key)
        raise OptionError(f"`{path}` of {origin(path)} cannot be resolved: {str(error).splitlines()[0]}.") from error
    finally:
        state.cfg = before
    encoders = mapping["encoder"] = {name: node for name, node in (mapping.get("encoder") or {}).items() if node}
    for modality in list(mapping.get("projection") or {}):
        if modality not in encoders:
            del mapping["projection"][modality]
    return {group: node for group, node in mapping.items() if node or group not in ("encoder", "projection")}


def _at(mapping: dict[str, Any], slot: str) -> Any:
    group, _, modality = slot.partition("/")
    node = mapping.get(group)
    return node.get(modality) if modality and isinstance(node, dict) else node
