"""What this plugin gives: a new modality, `pointcloud`, and data to train it on. Imports no torch."""

from __future__ import annotations

from mmlm_core import Component, Traits, hookimpl
from mmlm_pointcloud.options import PointNetOptions, ShapesOptions

__all__ = ["MMLM_API", "mmlm_components", "mmlm_config_packages"]

MMLM_API = 1


@hookimpl
def mmlm_components() -> list[Component]:
    """Return the encoder and the data source."""
    return [
        Component(
            kind="encoder/pointcloud",
            name="pointnet",
            options=PointNetOptions,
            target="mmlm_pointcloud.pointnet:PointNet",
            traits=_pointnet_traits,
            tiny={"points": 16, "channels": [8], "width": 16, "tokens": 4},
            suffixes=(".ply", ".npy"),
        ),
        Component(
            kind="data",
            name="shapes",
            options=ShapesOptions,
            target="mmlm_pointcloud.shapes:ShapesSource",
            traits=Traits(provides=frozenset({"input:pointcloud", "target"})),
            tiny={"rows": 100, "points": 16},
        ),
    ]


@hookimpl
def mmlm_config_packages() -> list[str]:
    """Return the package of the experiments."""
    return ["mmlm_pointcloud.conf"]


def _pointnet_traits(options: PointNetOptions) -> Traits:
    return Traits(provides=frozenset({"pooled" if options.tokens == 1 else "sequence"}))
