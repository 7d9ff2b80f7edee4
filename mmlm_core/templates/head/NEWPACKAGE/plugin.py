"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core import ALL, Component, Need, Traits, hookimpl
from mmlm_core.ranges import check_range

__all__ = ["MMLM_API", "NEWCLASSOptions", "mmlm_components", "mmlm_config_packages"]

MMLM_API = 1


@dataclass
class NEWCLASSOptions:
    """One label for a whole row, out of the mean of all that was read."""

    label_smoothing: float = 0.0
    """Share of the target that is spread over all labels, in training alone."""

    def __post_init__(self) -> None:
        """Check the range."""
        check_range(self, "label_smoothing", 0, 0.95)


@hookimpl
def mmlm_components() -> list[Component]:
    """Return what can be chosen."""
    return [
        Component(
            kind="NEWKIND",
            name="NEWNAME",
            options=NEWCLASSOptions,
            target="NEWPACKAGE.NEWNAME:NEWCLASSHead",
            traits=Traits(
                needs=(
                    Need("encoder", because="labels inputs"),
                    Need("data", has=frozenset({"target"}), because="learns from targets"),
                ),
                fits_targets=True,
                reads=ALL,
            ),
        )
    ]


@hookimpl
def mmlm_config_packages() -> list[str]:
    """Return the packages of YAML files."""
    return ["NEWPACKAGE.conf"]
