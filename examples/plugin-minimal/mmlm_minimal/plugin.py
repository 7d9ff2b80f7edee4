"""What the plugin declares; torch is not imported here."""

from dataclasses import dataclass

from mmlm_core import Component, Traits, hookimpl
from mmlm_core.ranges import check_range

MMLM_API = 1


@dataclass
class RunningMeanOptions:
    """The mean of all positions read so far, through a layer of its own each time."""

    width: int = 128
    """Width of the model."""
    depth: int = 2
    """Number of layers."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "width", 1)
        check_range(self, "depth", 1)


@hookimpl
def mmlm_components() -> list[Component]:
    """Return the plugin's one component."""
    return [
        Component(
            kind="backbone",
            name="running_mean",
            options=RunningMeanOptions,
            target="mmlm_minimal.running_mean:RunningMean",
            traits=Traits(provides=frozenset({"causal", "cache"})),
            tiny={"width": 16, "depth": 1},
        )
    ]
