"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core import Component, hookimpl
from mmlm_core.ranges import check_range

__all__ = ["MMLM_API", "NEWCLASSOptions", "mmlm_components", "mmlm_config_packages"]

MMLM_API = 1


@dataclass
class NEWCLASSOptions:
    """Words with the space before them, and single signs, the most frequent first; in plain Python."""

    vocabulary: int = 8000
    """Ids at most, the 5 special ones included; the rarest pieces are left out."""
    min_frequency: int = 1
    """Pieces that occur less often are left out."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "vocabulary", 6)
        check_range(self, "min_frequency", 1)


@hookimpl
def mmlm_components() -> list[Component]:
    """Return what can be chosen."""
    return [
        Component(
            kind="NEWKIND",
            name="NEWNAME",
            options=NEWCLASSOptions,
            target="NEWPACKAGE.NEWNAME:NEWCLASSTokenizer",
            tiny={"vocabulary": 64},
        )
    ]


@hookimpl
def mmlm_config_packages() -> list[str]:
    """Return the packages of YAML files."""
    return ["NEWPACKAGE.conf"]
