"""What this plugin gives. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_core import Component, Traits, hookimpl
from mmlm_image.options import CnnOptions, ImageFeatures, PatchOptions, TimmOptions, VitOptions

MMLM_API = 1

_GRID = Traits(provides=frozenset({"sequence", "grid"}))
_TOKENS = Traits(provides=frozenset({"sequence"}))
_POOLED = Traits(provides=frozenset({"pooled"}))


def traits_of(options: TimmOptions | VitOptions) -> Traits:
    """Return what an encoder provides: it follows from the features that are asked for."""
    return {ImageFeatures.grid: _GRID, ImageFeatures.tokens: _TOKENS, ImageFeatures.pooled: _POOLED}[options.features]


@hookimpl
def mmlm_components() -> Sequence[Component]:
    """Return the image encoders."""
    return [
        Component("encoder/image", "cnn", CnnOptions, "mmlm_image.cnn:Cnn", traits=_GRID,
                  tiny={"size": 8, "channels": [8, 16], "width": 16}),
        Component("encoder/image", "patch", PatchOptions, "mmlm_image.patch:Patch", traits=_GRID,
                  tiny={"size": 8, "patch": 4, "width": 16}),
        Component("encoder/image", "vit", VitOptions, "mmlm_image.vit:Vit", traits=traits_of,
                  tiny={"size": 8, "patch": 4, "width": 16, "depth": 1, "heads": 2}),
        Component("encoder/image", "timm", TimmOptions, "mmlm_image.timm:Timm", traits=traits_of,
                  tiny={"model": "test_resnet", "size": 64}),
    ]  # fmt: skip
