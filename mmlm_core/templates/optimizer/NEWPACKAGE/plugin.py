"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mmlm_core import Component, hookimpl
from mmlm_core.ranges import check_range

__all__ = ["MMLM_API", "NEWCLASSOptions", "mmlm_components", "mmlm_config_packages"]

MMLM_API = 1


@dataclass
class NEWCLASSOptions:
    """Lion (Chen et al. 2023): steps along the sign of the momentum; weight decay on matrices."""

    lr: float = 1e-4
    """Peak learning rate; a third to a tenth of what AdamW takes."""
    weight_decay: float = 1.0
    """Decay of the matrices, times the learning rate, at each update."""
    beta1: float = 0.9
    """Share of the momentum, beside the gradient, in the direction of a step."""
    beta2: float = 0.99
    """Decay of the momentum."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "lr", 0)
        check_range(self, "weight_decay", 0)
        check_range(self, "beta1", 0, 0.99999)
        check_range(self, "beta2", 0, 0.99999)


@hookimpl
def mmlm_components() -> list[Component]:
    """Return what can be chosen."""
    return [
        Component(
            kind="NEWKIND",
            name="NEWNAME",
            options=NEWCLASSOptions,
            target="NEWPACKAGE.NEWNAME:NEWCLASSOptimizer",
        )
    ]


@hookimpl
def mmlm_config_packages() -> list[str]:
    """Return the packages of YAML files."""
    return ["NEWPACKAGE.conf"]
