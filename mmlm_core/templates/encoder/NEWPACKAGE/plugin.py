"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core import Component, Traits, hookimpl
from mmlm_core.ranges import check_range

__all__ = [
    "MMLM_API",
    "NEWCLASSOptions",
    "NEWCLASSSamplesOptions",
    "mmlm_components",
    "mmlm_config_packages",
]

MMLM_API = 1


@dataclass
class NEWCLASSOptions:
    """Each position of an item through a small network, beside what stands out in the whole item."""

    channels: int = 3
    """Numbers of a position: 3 for points in space, 1 for the readings of one instrument."""
    width: int = 128
    """Width of the features."""
    max_positions: int = 1024
    """Positions of an item that are read; of a longer one as many, evenly spaced."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("channels", "width", "max_positions"):
            check_range(self, name, 1)


@dataclass
class NEWCLASSSamplesOptions:
    """Items made by code, to train on at once: points on a line, on an ellipse, or anywhere; the label says which."""

    rows: int = 600
    """Rows of the training; validation and test have a fifth of them each."""
    channels: int = 3
    """Numbers of a position, as many as the encoder's."""
    seed: int = 0
    """Seed of the rows."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "rows", 20)
        check_range(self, "channels", 1)


@hookimpl
def mmlm_components() -> list[Component]:
    """Return what can be chosen."""
    return [
        Component(
            kind="NEWKIND",
            name="NEWNAME",
            options=NEWCLASSOptions,
            target="NEWPACKAGE.NEWNAME:NEWCLASSEncoder",
            traits=Traits(provides=frozenset({"sequence"})),
            tiny={"width": 16},
            suffixes=(".npy",),
        ),
        Component(
            kind="data",
            name="NEWNAME_samples",
            options=NEWCLASSSamplesOptions,
            target="NEWPACKAGE.samples:NEWCLASSSamples",
            traits=Traits(provides=frozenset({"input:NEWMODALITY", "target"})),
            tiny={"rows": 20},
        ),
    ]


@hookimpl
def mmlm_config_packages() -> list[str]:
    """Return the packages of YAML files."""
    return ["NEWPACKAGE.conf"]
