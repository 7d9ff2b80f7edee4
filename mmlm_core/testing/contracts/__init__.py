"""The contracts of all kinds, as test classes made for a plugin's components.

A plugin's test file needs two lines (whatever fails says what to do):

    from mmlm_core.testing import contracts
    globals().update(contracts("mmlm_text.plugin"))
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from mmlm_core.registry import Component
from mmlm_core.testing.contracts.backbone import BackboneContract
from mmlm_core.testing.contracts.common import ComponentContract
from mmlm_core.testing.contracts.data import DataContract
from mmlm_core.testing.contracts.encoder import EncoderContract
from mmlm_core.testing.contracts.fresh import FreshProcess
from mmlm_core.testing.contracts.fusion import FusionContract
from mmlm_core.testing.contracts.head import HeadContract
from mmlm_core.testing.contracts.optimizer import OptimizerContract
from mmlm_core.testing.contracts.projection import ProjectionContract
from mmlm_core.testing.contracts.schedule import ScheduleContract
from mmlm_core.testing.contracts.tokenizer import TokenizerContract

__all__ = ["contracts"]

CONTRACTS: Mapping[str, type[ComponentContract]] = {
    "tokenizer": TokenizerContract,
    "encoder": EncoderContract,
    "projection": ProjectionContract,
    "fusion": FusionContract,
    "backbone": BackboneContract,
    "head": HeadContract,
    "data": DataContract,
    "optimizer": OptimizerContract,
    "schedule": ScheduleContract,
}


def contracts(
    plugin: str,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    items: Mapping[str, list[Any]] | None = None,
    targets: Mapping[str, list[Any]] | None = None,
) -> dict[str, type[ComponentContract]]:
    """Return a test class for each component of a plugin, by a name that pytest collects.

    Args:
        plugin: The plugin's module, as its entry point names it.
        options: Options for components that cannot work with their `tiny` ones alone (such as a path), by
            `kind=name`.
        items: Three raw items or more of each modality beyond text and images, to try encoders on.
        targets: Three training targets or more for heads whose targets are not texts, by `kind=name`; masks are of
            pictures of 8 x 8 pixels.

    Raises:
        ValueError: The plugin gives no component.
    """
    given: list[Component] = importlib.import_module(plugin).mmlm_components()
    if not given:
        raise ValueError(f"`{plugin}` gives no component.")
    made = {}
    fresh = FreshProcess(plugin, dict(options or {}), dict(items or {}), dict(targets or {}))
    for component in given:
        key = f"{component.kind}={component.name}"
        words = f"{component.kind}_{component.name}".replace("/", "_").split("_")
        name = "Test" + "".join(word.capitalize() for word in words)
        base = CONTRACTS[component.kind.partition("/")[0]]
        body = {
            "plugin": plugin,
            "component": component,
            "extra": dict((options or {}).get(key, {})),
            "given_items": dict(items or {}),
            "given_targets": list((targets or {}).get(key, [])),
            "fresh": fresh,
        }
        made[name] = type(name, (base,), body)
    return made
