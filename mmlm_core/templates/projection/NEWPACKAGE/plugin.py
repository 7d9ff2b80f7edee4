"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core import Component, hookimpl
from mmlm_core.ranges import check_range

__all__ = ["MMLM_API", "NEWCLASSOptions", "mmlm_components", "mmlm_config_packages"]

MMLM_API = 1


@dataclass
class NEWCLASSOptions:
    """A layer norm, then a linear map, so that no modality is louder than another."""

    dropout: float = 0.0
    """Dropout of the projected features."""

    def __post_init__(self) -> None:
        """Check the range."""
        check_range(self, "dropout", 0, 0.95)


@hookimpl
def mmlm_components() -> list[Component]:
    """Return what can be chosen."""
    return [
        Component(
            kind="NEWKIND",
            name="NEWNAME",
            options=NEWCLASSOptions,
            target="NEWPACKAGE.NEWNAME:NEWCLASSProjection",
        )
    ]


@hookimpl
def mmlm_config_packages() -> list[str]:
    """Return the packages of YAML files."""
    return ["NEWPACKAGE.conf"]
