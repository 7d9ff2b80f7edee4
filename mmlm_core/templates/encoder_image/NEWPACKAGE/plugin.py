"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core import Component, Traits, hookimpl
from mmlm_core.errors import OptionError
from mmlm_core.ranges import check_range

__all__ = ["MMLM_API", "NEWCLASSOptions", "mmlm_components", "mmlm_config_packages"]

MMLM_API = 1


@dataclass
class NEWCLASSOptions:
    """Patches of a picture, each through a small network, with a learned vector for its place."""

    size: int = 64
    """Height and width that a picture is brought to, in pixels."""
    patch: int = 8
    """Height and width of a patch, in pixels; it divides `size`."""
    width: int = 128
    """Width of the features."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("size", "patch", "width"):
            check_range(self, name, 1)
        if self.size % self.patch:
            raise OptionError(f"`patch` must divide `size`, which is {self.size}, not be {self.patch}.")


@hookimpl
def mmlm_components() -> list[Component]:
    """Return what can be chosen."""
    return [
        Component(
            kind="NEWKIND",
            name="NEWNAME",
            options=NEWCLASSOptions,
            target="NEWPACKAGE.NEWNAME:NEWCLASSEncoder",
            traits=Traits(provides=frozenset({"sequence", "grid"})),
            tiny={"size": 16, "width": 16},
        )
    ]


@hookimpl
def mmlm_config_packages() -> list[str]:
    """Return the packages of YAML files."""
    return ["NEWPACKAGE.conf"]
