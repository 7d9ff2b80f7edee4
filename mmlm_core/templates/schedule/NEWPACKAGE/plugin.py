"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core import Component, hookimpl
from mmlm_core.ranges import check_range

__all__ = ["MMLM_API", "NEWCLASSOptions", "mmlm_components", "mmlm_config_packages"]

MMLM_API = 1


@dataclass
class NEWCLASSOptions:
    """Warm-up, then down to zero by a power of what is left."""

    warmup: float = 0.05
    """Share of the training in which the rate rises to its peak."""
    power: float = 2.0
    """1: a straight line; above: fast at first, then slow."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "warmup", 0, 0.99)
        check_range(self, "power", 0)


@hookimpl
def mmlm_components() -> list[Component]:
    """Return what can be chosen."""
    return [
        Component(
            kind="NEWKIND",
            name="NEWNAME",
            options=NEWCLASSOptions,
            target="NEWPACKAGE.NEWNAME:NEWCLASSSchedule",
        )
    ]


@hookimpl
def mmlm_config_packages() -> list[str]:
    """Return the packages of YAML files."""
    return ["NEWPACKAGE.conf"]
