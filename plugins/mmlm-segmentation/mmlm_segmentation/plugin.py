"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from mmlm_core import Component, Need, Traits, hookimpl
from mmlm_segmentation.options import SegmentationOptions

__all__ = ["MMLM_API", "mmlm_components"]

MMLM_API = 1


@hookimpl
def mmlm_components() -> list[Component]:
    """Return the head."""
    return [
        Component(
            kind="head",
            name="segmentation",
            options=SegmentationOptions,
            target="mmlm_segmentation.segmentation:Segmentation",
            traits=_traits,
            tiny={"channels": 8, "stages": 1},
            samples="mmlm_segmentation.samples:masks",
        )
    ]


def _traits(options: SegmentationOptions) -> Traits:
    name = options.input
    places = "reads the places of a picture, down and across"
    return Traits(
        needs=(
            Need(f"encoder/{name}", has=frozenset({"grid"}), because=places),
            Need(f"projection/{name}", has=frozenset({"positions", "grid"}), because=places),
            Need("data", has=frozenset({"target:masks", "target:any"}), because="learns from masks"),
        ),
        fits_targets=True,
        reads=frozenset({name}),
    )
