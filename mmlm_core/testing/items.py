"""Items to try a plugin's encoders on, out of its own data sources."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from itertools import islice
from typing import Any

from mmlm_core.options import typed
from mmlm_core.registry import Component

__all__ = ["own_items"]

ENOUGH = 3


def own_items(plugin: str, options: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return a few raw items of each modality beyond text and images that a data source of the plugin gives.

    Args:
        plugin: The plugin's module, as its entry point names it.
        options: Options for data sources that cannot work with their `tiny` ones alone, by `data=name`.
    """
    given: list[Component] = importlib.import_module(plugin).mmlm_components()
    wanted = {component.kind.partition("/")[2] for component in given} - {"", "text", "image"}
    items: dict[str, list[Any]] = {}
    for component in given:
        if component.kind == "data" and wanted - items.keys():
            try:
                items |= _items(component, options.get(f"data={component.name}", {}), wanted - items.keys())
            except Exception:  # the data source's own contracts tell of it
                continue
    return items


def _items(component: Component, given: Mapping[str, Any], wanted: set[str]) -> dict[str, list[Any]]:
    """Return what the first rows of a data source have of some modalities."""
    options = typed(component.options, {**component.tiny, **given}, component.kind, "`tiny`")
    if not {f"input:{modality}" for modality in wanted} & component.traits_for(options).provides:
        return {}
    source = component.load()(options)
    rows = list(islice(source.read(source.splits()[0]), 8 * ENOUGH))
    found = {modality: [item for row in rows for item in row.inputs.get(modality, ())] for modality in wanted}
    return {modality: items[:ENOUGH] for modality, items in found.items() if items}
