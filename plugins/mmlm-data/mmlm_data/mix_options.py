"""The options of `data=mix`. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmlm_core.errors import MmlmError, OptionError, quoted
from mmlm_core.named_files import NamesFiles
from mmlm_core.options import typed
from mmlm_core.plugins import load_plugins
from mmlm_core.registry import Component, Traits

__all__ = ["MixOptions", "Source"]


@dataclass(frozen=True)
class Source:
    """One of the sources that are mixed."""

    component: Component
    options: Any
    weight: float

    @property
    def traits(self) -> Traits:
        """What it gives."""
        return self.component.traits_for(self.options)


@dataclass
class MixOptions:
    """Rows of several data sources as those of one; in training those of each come as often as its weight says."""

    sources: dict[str, Any] = field(default_factory=dict)
    """The sources, by a word of your own: each with the `name` of a choice of `data`, its options, and a `weight`
    (default: 1), how often its rows are drawn against those of the others."""

    def __post_init__(self) -> None:
        """Find the sources, and check their options."""
        registry = load_plugins().registry if self.sources else None
        self.found: dict[str, Source] = {}
        for word, node in self.sources.items():
            if not isinstance(node, Mapping) or not isinstance(node.get("name"), str) or node["name"] == "mix":
                raise OptionError(f"`sources.{word}` must say its `name`, another choice of `data` than `mix`, as "
                                  f"`data.sources.{word}.name=table`; not {quoted(node)}.")  # fmt: skip
            weight = node.get("weight", 1.0)
            if not isinstance(weight, int | float) or isinstance(weight, bool) or not weight > 0:
                raise OptionError(f"`sources.{word}.weight` must be above 0, not `{weight}`.")
            assert registry is not None
            component = registry.get("data", node["name"])
            values = {key: value for key, value in node.items() if key not in ("name", "weight")}
            options = typed(component.options, values, f"data.sources.{word}", "the options of `data=mix`")
            self.found[word] = Source(component, options, float(weight))

    def place_files(self, folder: Path) -> list[str]:
        """See `mmlm_core.named_files`."""
        return [path for source in self.found.values() if isinstance(source.options, NamesFiles)
                for path in source.options.place_files(folder)]  # fmt: skip

    def check_files(self) -> None:
        """See `mmlm_core.named_files`."""
        for word, source in self.found.items():
            try:
                if isinstance(source.options, NamesFiles):
                    source.options.check_files()
            except MmlmError as error:
                raise type(error)(str(error).replace("`data.", f"`data.sources.{word}.")) from error
