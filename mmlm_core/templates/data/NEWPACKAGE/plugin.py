"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core import Component, Traits, hookimpl
from mmlm_core.ranges import check_range

__all__ = ["MMLM_API", "NEWCLASSOptions", "mmlm_components", "mmlm_config_packages"]

MMLM_API = 1


@dataclass
class NEWCLASSOptions:
    """Rows made by code: colours in a row, labelled by the one that stands there most often."""

    rows: int = 1000
    """Rows of the training; validation and test have a fifth of them each."""
    words: int = 9
    """Colours in a row."""
    seed: int = 0
    """Seed of the rows."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "rows", 20)
        check_range(self, "words", 3)


@hookimpl
def mmlm_components() -> list[Component]:
    """Return what can be chosen."""
    return [
        Component(
            kind="NEWKIND",
            name="NEWNAME",
            options=NEWCLASSOptions,
            target="NEWPACKAGE.NEWNAME:NEWCLASSData",
            traits=Traits(provides=frozenset({"input:text", "target"})),
            tiny={"rows": 20},
        )
    ]


@hookimpl
def mmlm_config_packages() -> list[str]:
    """Return the packages of YAML files."""
    return ["NEWPACKAGE.conf"]
