"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core import Component, Traits, hookimpl
from mmlm_core.ranges import check_range

__all__ = ["MMLM_API", "NEWCLASSOptions", "mmlm_components", "mmlm_config_packages"]

MMLM_API = 1


@dataclass
class NEWCLASSOptions:
    """The mean of all positions read so far, through a layer of its own each time."""

    width: int = 128
    """Width of the model."""
    depth: int = 2
    """Layers."""
    dropout: float = 0.1
    """Dropout of what each layer adds."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "width", 1)
        check_range(self, "depth", 1)
        check_range(self, "dropout", 0, 0.95)


@hookimpl
def mmlm_components() -> list[Component]:
    """Return what can be chosen."""
    return [
        Component(
            kind="NEWKIND",
            name="NEWNAME",
            options=NEWCLASSOptions,
            target="NEWPACKAGE.NEWNAME:NEWCLASSBackbone",
            traits=Traits(provides=frozenset({"causal", "cache"})),
            tiny={"width": 16, "depth": 2},
        )
    ]


@hookimpl
def mmlm_config_packages() -> list[str]:
    """Return the packages of YAML files."""
    return ["NEWPACKAGE.conf"]
